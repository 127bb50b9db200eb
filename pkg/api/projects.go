package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func (a *API) projects(api huma.API) {
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/v1/projects" + path, Summary: summary, Tags: []string{"projects"}, Errors: errs}
	}
	create := op("create-project", http.MethodPost, "", "Make a project, which members can be granted")
	create.DefaultStatus = http.StatusCreated
	remove := op("remove-project", http.MethodDelete, "/{project}", "Remove a project that no connection, grant, invitation or API token names", http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	remove.DefaultStatus = http.StatusNoContent
	register(api, mayRead, op("list-projects", http.MethodGet, "", "List the projects that one may read"), a.listProjects)
	register(api, mayRead, op("get-project", http.MethodGet, "/{project}", "Show a project"), a.getProject)
	register(api, mayAdminister, create, a.createProject)
	register(api, mayAdminister, op("update-project", http.MethodPatch, "/{project}", "Describe a project", http.StatusPreconditionFailed, http.StatusPreconditionRequired), a.updateProject)
	register(api, mayAdminister, remove, a.removeProject)
}

// ProjectPath names a project.
type ProjectPath struct {
	Project string `path:"project" maxLength:"100" example:"shop"`
}

type projectAnswer struct {
	ETag string `header:"ETag"`
	Body model.Project
}

func (a *API) showProject(ctx context.Context, p model.Project, err error) (*projectAnswer, error) {
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &projectAnswer{etag(p.Version), p}, nil
}

type projectsAnswer struct {
	Body struct {
		Projects []model.Project `json:"projects"`
		Cursor   string          `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

func (a *API) listProjects(ctx context.Context, in *Page) (*projectsAnswer, error) {
	page, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Project, string, error) {
		return a.org(ctx).ProjectsPage(ctx, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	out := &projectsAnswer{}
	out.Body.Projects, out.Body.Cursor = []model.Project{}, next
	for _, p := range page {
		if callerOf(ctx).Sees(p.Name) {
			out.Body.Projects = append(out.Body.Projects, p)
		}
	}
	return out, nil
}

// project reads a project that the caller may see. Others are not there for it.
func (a *API) project(ctx context.Context, name string) (model.Project, error) {
	if !callerOf(ctx).Sees(name) {
		return model.Project{}, store.ErrNotFound
	}
	return a.org(ctx).Project(ctx, name)
}

func (a *API) getProject(ctx context.Context, in *ProjectPath) (*projectAnswer, error) {
	p, err := a.project(ctx, in.Project)
	return a.showProject(ctx, p, err)
}

func (a *API) createProject(ctx context.Context, in *struct {
	Repeatable
	Body struct {
		Name        string `json:"name" minLength:"1" maxLength:"100" pattern:"^[A-Za-z0-9._-]+$" example:"shop"`
		Description string `json:"description,omitempty" maxLength:"500"`

		Options model.CheckOptions `json:"options,omitempty" doc:"Options of checks for the connections of the project, by check and name"`
	}
},
) (*projectAnswer, error) {
	if err := a.settable(ctx, in.Body.Options); err != nil {
		return nil, err
	}
	now := a.Now().UTC().Format(time.RFC3339Nano)
	return onceAs(ctx, a, "project", in.Repeatable, in.Body, now, func(first string) (*projectAnswer, error) {
		at, err := time.Parse(time.RFC3339Nano, first)
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		return a.makeProject(ctx, model.Project{Name: in.Body.Name, Description: in.Body.Description, Options: in.Body.Options, CreatedAt: at.Truncate(time.Second)}, first != now)
	})
}

// makeProject makes a project, or shows the one that an earlier one of these requests made.
func (a *API) makeProject(ctx context.Context, p model.Project, again bool) (*projectAnswer, error) {
	most := a.Caps.orDefault().Projects
	err := a.org(ctx).CreateProject(ctx, a.by(ctx), &p, most)
	switch {
	case errors.Is(err, store.ErrFull):
		return nil, problem(ctx, http.StatusConflict, "too_many_projects", fmt.Sprintf("an organization has at most %d projects: remove one", most))
	case errors.Is(err, store.ErrConflict):
		there, e := a.org(ctx).Project(ctx, p.Name)
		if again && e == nil && there.CreatedAt.Equal(p.CreatedAt) && there.Description == p.Description {
			return a.showProject(ctx, there, nil)
		}
		return nil, problem(ctx, http.StatusConflict, "project_exists", "there is a project of that name")
	}
	return a.showProject(ctx, p, err)
}

func (a *API) updateProject(ctx context.Context, in *struct {
	ProjectPath
	IfMatch string `header:"If-Match" doc:"The ETag of the project as it was read"`
	Body    struct {
		Description string             `json:"description" maxLength:"500"`
		Options     model.CheckOptions `json:"options,omitempty" doc:"Options of checks, all of them; as they were if left out"`
	}
},
) (*projectAnswer, error) {
	if err := a.settable(ctx, in.Body.Options); err != nil {
		return nil, err
	}
	p, err := a.project(ctx, in.Project)
	if err == nil {
		err = matches(ctx, in.IfMatch, p.Version, "the project")
	}
	if err == nil {
		p.Description = in.Body.Description
		if in.Body.Options != nil {
			p.Options = in.Body.Options
		}
		err = a.org(ctx).ChangeProject(ctx, a.by(ctx), &p)
	}
	return a.showProject(ctx, p, err)
}

func (a *API) removeProject(ctx context.Context, in *struct {
	ProjectPath
	IfMatch string `header:"If-Match" doc:"The ETag of the project as it was read"`
},
) (*struct{}, error) {
	p, err := a.project(ctx, in.Project)
	if err == nil {
		err = matches(ctx, in.IfMatch, p.Version, "the project")
	}
	if err == nil {
		err = a.unused(ctx, p.Name)
	}
	if err == nil {
		err = a.org(ctx).RemoveProject(ctx, a.by(ctx), p)
	}
	return nil, a.answer(ctx, err)
}

// unused refuses that a project is removed which something names: its grants would be of
// the next project of that name.
func (a *API) unused(ctx context.Context, name string) error {
	use, err := a.org(ctx).ProjectUse(ctx, name, a.Now())
	if err != nil || use == (store.ProjectUse{}) {
		return err
	}
	return problem(ctx, http.StatusConflict, "project_in_use", fmt.Sprintf(
		"the project is named by %d connections, %d members, %d invitations and %d API tokens: take it away from them first", use.Connections, use.Members, use.Invitations, use.Tokens))
}

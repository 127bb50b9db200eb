package lambda

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
)

func policies() policyrule.Source[Function] {
	return policyrule.Source[Function]{
		Operation: "lambda:GetPolicy",
		Policy:    func(e *check.Evidence, f Function) string { return check.Read(e, f.Policy) },
		Parts: func(e *check.Evidence, f Function) []policyrule.Part {
			var all []policyrule.Part
			for _, a := range check.Read(e, f.Aliases) {
				all = append(all, policyrule.Part{Name: "alias " + a.Qualifier, Document: a.Policy})
			}
			for _, v := range check.Read(e, f.Versions) {
				all = append(all, policyrule.Part{Name: "version " + v.Qualifier, Document: v.Policy})
			}
			return all
		},
	}
}

func layerPolicies() policyrule.Source[LayerVersion] {
	return policyrule.Source[LayerVersion]{
		Operation: "lambda:GetLayerVersionPolicy",
		Policy:    func(e *check.Evidence, v LayerVersion) string { return check.Read(e, v.Policy) },
	}
}

package lambdahost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"
)

// ErrAsks says that a function asked something of AWS before its first invocation.
var ErrAsks = errors.New("it asks something of AWS while it starts")

// InitTime starts a bootstrap with these variables, beside those that Lambda sets,
// and measures how long it takes until it asks for its first invocation. It gets
// none, and is killed. There is no AWS for it: a call while it starts is ErrAsks.
func InitTime(ctx context.Context, bootstrap string, variables map[string]string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, initLimit)
	defer cancel()
	asked := make(chan time.Time, 1)
	var once sync.Once
	runtime, err := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/2018-06-01/runtime/invocation/next" { // it says why it cannot start
			_, _ = io.Copy(io.Discard, r.Body)
			reply(w, http.StatusAccepted, "")
			return
		}
		once.Do(func() { asked <- time.Now() })
		<-r.Context().Done() // until it is killed
	}))
	if err != nil {
		return 0, err
	}
	defer runtime.close()
	called := make(chan string, 1)
	nobody, err := serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case called <- r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Amz-Target"):
		default:
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	if err != nil {
		return 0, err
	}
	defer nobody.close()

	var output bytes.Buffer
	process := exec.CommandContext(ctx, bootstrap)
	process.Stdout, process.Stderr = &output, &output
	process.Env = initEnviron(runtime, nobody, variables)
	began := time.Now()
	if err := process.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", bootstrap, err)
	}
	ended := make(chan struct{})
	var status error // read after ended
	go func() {
		status = process.Wait()
		close(ended)
	}()
	select {
	case at := <-asked:
		cancel()
		<-ended
		select {
		case call := <-called:
			return 0, fmt.Errorf("%s: %w: %s", bootstrap, ErrAsks, call)
		default:
			return at.Sub(began), nil
		}
	case <-ended:
		return 0, fmt.Errorf("%s ended before it asked for an invocation: %w\n%s", bootstrap, errors.Join(status, ctx.Err()), output.Bytes())
	}
}

func initEnviron(runtime, aws *server, variables map[string]string) []string {
	var list []string
	for _, name := range inherited() {
		list = append(list, name+"="+os.Getenv(name))
	}
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return append(list,
		"AWS_LAMBDA_RUNTIME_API="+runtime.addr, "AWS_ENDPOINT_URL="+aws.url(), "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none", "AWS_LAMBDA_FUNCTION_NAME=init",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024", "AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023")
}

package lambdahost_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/test/lambdahost"
)

func TestRuntime(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{Environ: map[string]map[string]string{"Probe": {"EXTRA": "1"}}})

	t.Run("an environment is used again", func(t *testing.T) {
		first, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"pid"}`))
		must(t, err)
		again, err := h.Invoke(t.Context(), "probe-function", []byte(`{"do":"pid"}`))
		must(t, err)
		if string(first) != string(again) {
			t.Errorf("process %s, then %s", first, again)
		}
	})
	t.Run("the process has Lambda's variables and no others", func(t *testing.T) {
		t.Setenv("SECRET_OF_THE_TEST", "1")
		answer, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"environ"}`))
		must(t, err)
		var list []string
		must(t, json.Unmarshal(answer, &list))
		all := "\n" + strings.Join(list, "\n") + "\n"
		for _, want := range []string{
			"AWS_LAMBDA_FUNCTION_NAME=probe-function\n", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST\n", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128\n",
			"AWS_REGION=eu-west-1\n", "_HANDLER=bootstrap\n", "LAMBDA_TASK_ROOT=/", "TABLE=probe\n", "EXTRA=1\n",
			"AWS_ENDPOINT_URL=http://127.0.0.1:", "AWS_ACCESS_KEY_ID=ASIA", "AWS_SESSION_TOKEN=",
		} {
			if !strings.Contains(all, "\n"+want) {
				t.Errorf("no %q in%s", want, all)
			}
		}
		if strings.Contains(all, "SECRET_OF_THE_TEST") || strings.Contains(all, "AWS_CA_BUNDLE") {
			t.Errorf("inherited:%s", all)
		}
	})
	t.Run("its output is kept", func(t *testing.T) {
		_, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"say hello there"}`))
		must(t, err)
		if said := w.written("hello"); len(said) != 1 || said[0] != " there" {
			t.Errorf("lines %q", said)
		}
	})
	for name, c := range map[string]struct{ do, kind, message string }{
		"an error fails the invocation": {"fail", "errorString", "asked to fail"},
		"so does a panic":               {"panic", "string", "asked to"},
		"so does an exit":               {"exit", lambdahost.ExitError, "exit status 3"},
		"so does the end of its time":   {"sleep", lambdahost.TimedOut, "Task timed out after 3.00 seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"`+c.do+`"}`))
			var failed *lambdahost.FunctionError
			if !errors.As(err, &failed) || failed.Type != c.kind || !strings.Contains(failed.Message, c.message) {
				t.Fatalf("%#v, want %s: %s", err, c.kind, c.message)
			}
			_, err = h.Invoke(t.Context(), "Probe", []byte(`{"do":"pid"}`))
			must(t, err)
		})
	}
	t.Run("a caller that hangs up does not end it", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := h.Invoke(ctx, "Probe", []byte(`{"do":"nap"}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		idle(t, h)
	})
}

func TestEnvironmentsAreLimited(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{MaxEnvironments: 2})
	answers := make(chan string, 5)
	for range cap(answers) {
		go func() {
			pid, err := h.Invoke(context.Background(), "Probe", []byte(`{"do":"nap"}`))
			if err != nil {
				pid = []byte(err.Error())
			}
			answers <- string(pid)
		}()
	}
	processes := map[string]int{}
	for range cap(answers) {
		processes[<-answers]++
	}
	if len(processes) != 2 {
		t.Errorf("invocations of each process: %v", processes)
	}
}

func TestInitErrors(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{Environ: map[string]map[string]string{"Probe": {"INIT": "fail"}}})
	_, err := h.Invoke(t.Context(), "Probe", []byte(`{}`))
	var failed *lambdahost.FunctionError
	if !errors.As(err, &failed) || failed.Type != "Runtime.Settings" || failed.Message != "no TABLE" {
		t.Errorf("%v", err)
	}
}

func TestCloseEndsAllProcesses(t *testing.T) {
	w := newWorld(t)
	h := w.start(t, lambdahost.Options{})
	answer, err := h.Invoke(t.Context(), "Probe", []byte(`{"do":"pid"}`))
	must(t, err)
	var pid int
	must(t, json.Unmarshal(answer, &pid))
	ended := make(chan error, 1)
	go func() {
		_, err := h.Invoke(context.Background(), "Probe", []byte(`{"do":"sleep"}`))
		ended <- err
	}()
	must(t, h.Close())
	if err := <-ended; err == nil {
		t.Error("an invocation outlived the host")
	}
	process, err := os.FindProcess(pid)
	must(t, err)
	if err := process.Signal(syscall.Signal(0)); err == nil {
		t.Errorf("process %d outlived the host", pid)
	}
	if _, err := h.Invoke(t.Context(), "Probe", nil); !errors.Is(err, lambdahost.ErrClosed) {
		t.Errorf("a closed host: %v", err)
	}
}

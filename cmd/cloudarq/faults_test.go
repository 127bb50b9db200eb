package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

func TestUnknownNames(t *testing.T) {
	environment(t, nil)
	for name, c := range map[string]struct {
		args    []string
		nearest string
	}{
		"check":      {[]string{"audit", "run", "--checks", "kms-key-rotatoin"}, "kms-key-rotation"},
		"alias":      {[]string{"audit", "run", "--checks", "prowler:kms_cmk_rotation_enable"}, "prowler:kms_cmk_rotation_enabled"},
		"service":    {[]string{"audit", "run", "--services", "kmss"}, "kms"},
		"region":     {[]string{"audit", "run", "--regions", "eu-wset-1"}, "eu-west-1"},
		"command":    {[]string{"audti"}, "audit"},
		"subcommand": {[]string{"audit", "rnu"}, "run"},
		"filter":     {[]string{"findings", "list", "sevrity=high"}, "severity"},
	} {
		t.Run(name, func(t *testing.T) {
			cloudarq(t, t.TempDir(), c.args...).sentence(t, exitUsage, "unknown", "did you mean", c.nearest)
		})
	}
}

func TestWrongCommandLine(t *testing.T) {
	environment(t, nil)
	for name, args := range map[string][]string{
		"unknown flag":       {"audit", "run", "--nope"},
		"severity":           {"audit", "run", "--severity", "grave"},
		"fail-on":            {"audit", "run", "--fail-on", "grave"},
		"coverage":           {"audit", "run", "--min-coverage", "101"},
		"output":             {"checks", "list", "-o", "xml"},
		"external id inline": {"audit", "run", "--external-id", "the-id-itself"},
		"nothing left":       {"audit", "run", "--checks", "kms-key-enabled", "--severity", "critical"},
		"argument":           {"version", "what"},
		"no audits":          {"audit", "show"},
		"no finding":         {"findings", "show", "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			cloudarq(t, t.TempDir(), args...).sentence(t, exitUsage)
		})
	}
	t.Setenv("CLOUDARQ_MIN_COVERAGE", "many")
	cloudarq(t, t.TempDir(), "audit", "run").sentence(t, exitUsage, "CLOUDARQ_MIN_COVERAGE")
}

func TestRefusedByAWS(t *testing.T) {
	e, _ := sample(t)
	neglected := e.Account("neglected")
	t.Run("wrong external id", func(t *testing.T) {
		wrong := neglected
		wrong.ExternalID = "not-the-external-id"
		audit(t, t.TempDir(), wrong).sentence(t, exitAccess, "cannot assume", neglected.RoleARN, "External ID")
	})
	t.Run("no external id", func(t *testing.T) {
		cloudarq(t, t.TempDir(), "audit", "run", "--role-arn", neglected.RoleARN).sentence(t, exitAccess, "cannot assume")
	})
	t.Run("role does not exist", func(t *testing.T) {
		missing := neglected
		missing.RoleARN += "Missing"
		audit(t, t.TempDir(), missing).sentence(t, exitAccess, "cannot assume", missing.RoleARN)
	})
	t.Run("wrong key", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
		cloudarq(t, t.TempDir(), "audit", "run").sentence(t, exitAccess, "credentials")
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		cloudarq(t, t.TempDir(), "audit", "run").sentence(t, exitAccess, "no AWS credentials")
		audit(t, t.TempDir(), neglected).sentence(t, exitAccess, "no AWS credentials")
		add(t, t.TempDir(), neglected).sentence(t, exitAccess, "no AWS credentials")
	})
	t.Run("regions denied", func(t *testing.T) {
		cloudarq(t, t.TempDir(), "audit", "run").sentence(t, exitAccess, "ec2:DescribeRegions", "--regions")
	})
}

func TestExpiredCredentials(t *testing.T) {
	_, server := sample(t)
	expired := emulator.Answer{Service: "sts", Operation: "GetCallerIdentity", Status: 403, Code: "ExpiredToken", Body: "expired"}
	if err := server.Answer(expired); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Retract(expired) })
	cloudarq(t, t.TempDir(), "audit", "run").sentence(t, exitAccess, "expired")
}

func TestBrokenEndpoint(t *testing.T) {
	_, server := sample(t)
	for kind, c := range map[string]struct {
		code  int
		words []string
	}{
		emulator.Hang:     {exitCancelled, []string{"time"}},
		emulator.Reset:    {exitFailed, []string{"cannot reach AWS"}},
		emulator.Garbage:  {exitFailed, []string{"not AWS"}},
		emulator.Throttle: {exitFailed, []string{"Throttling"}},
		emulator.Error500: {exitFailed, nil},
	} {
		t.Run(kind, func(t *testing.T) {
			fault := emulator.Fault{Service: "sts", Kind: kind}
			args := []string{"audit", "run"}
			if kind == emulator.Hang {
				fault.Seconds = 20
				args = append(args, "--timeout", "1s")
			}
			if err := server.ClearFaults(); err != nil {
				t.Fatal(err)
			}
			if err := server.Fault(fault); err != nil {
				t.Fatal(err)
			}
			cloudarq(t, t.TempDir(), args...).sentence(t, c.code, c.words...)
		})
	}
}

// kms audits what these tests need of an account, quickly.
func kms(t *testing.T, data string, a estate.Account, more ...string) result {
	t.Helper()
	return audit(t, data, a, append([]string{"--services", "kms", "--regions", "eu-west-1,us-east-1", "--quiet"}, more...)...)
}

func TestFaultsOfAServiceAreGaps(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	for kind, reason := range map[string]string{
		emulator.Throttle: "throttled", emulator.Garbage: "error", emulator.Reset: "error", emulator.Error500: "error",
	} {
		t.Run(kind, func(t *testing.T) {
			data := t.TempDir()
			before := decode[[]shape.Verdict](t, kms(t, data, neglected, "-o", "json"))
			failed := count(before, check.Fail)
			if failed == 0 {
				t.Fatal("the neglected account fails nothing")
			}
			if err := server.Fault(emulator.Fault{Service: "kms", Operation: "ListKeys", Region: "eu-west-1", Kind: kind}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = server.ClearFaults() })
			r := kms(t, data, neglected, "-o", "json", "--min-coverage", "100")
			if r.code != exitIncomplete {
				t.Errorf("exit code %d, want %d: %s", r.code, exitIncomplete, r.stderr)
			}
			for _, v := range decode[[]shape.Verdict](t, r) {
				if v.Region == "eu-west-1" && v.Status != check.NotAssessed {
					t.Errorf("%s is %s though its region could not be listed", v.Resource, v.Status)
				}
				if v.Status == check.NotAssessed && string(v.Gaps[0].Reason) != reason {
					t.Errorf("gap %+v, want reason %s", v.Gaps[0], reason)
				}
			}
			findings := decode[[]shape.Finding](t, cloudarq(t, data, "findings", "list", "-o", "json"))
			if len(findings) != failed {
				t.Errorf("%d findings are open after the fault, %d before", len(findings), failed)
			}
			for _, f := range findings {
				if blind := f.BlindSince != nil; blind != (f.Region == "eu-west-1") {
					t.Errorf("finding in %s: blind %v", f.Region, blind)
				}
			}
		})
	}
}

func count(verdicts []shape.Verdict, status check.Status) (n int) {
	for _, v := range verdicts {
		if v.Status == status {
			n++
		}
	}
	return n
}

func TestClosedRegionIsAGapOfThatRegion(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	err := server.SCP(neglected.ID, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*",
		"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"},"StringNotEquals":{"aws:PrincipalArn":"nobody"}}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.SCP(neglected.ID, "") })
	for _, v := range decode[[]shape.Verdict](t, kms(t, t.TempDir(), neglected, "-o", "json")) {
		closed := v.Region == "us-east-1"
		if closed && (v.Status != check.NotAssessed || v.Gaps[0].Reason != "scp_denied") {
			t.Errorf("%s in the closed region: %s %+v", v.Check, v.Status, v.Gaps)
		}
		if !closed && v.Status == check.NotAssessed {
			t.Errorf("the closed region spoiled %s in %s", v.Check, v.Region)
		}
	}
}

func TestInterruptedAuditResumes(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	if err := server.Fault(emulator.Fault{Service: "kms", Kind: emulator.Delay, Seconds: 5}); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	go func() { // Ctrl-C as soon as a call is under way
		defer interrupt()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			if audits, err := filepath.Glob(filepath.Join(data, "blobs", "ledger", "*", "*", "*", "*")); err == nil && len(audits) > 0 {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	r := cloudarqIn(ctx, data, neglected.ExternalID, "audit", "run", "--role-arn", neglected.RoleARN, "--external-id", "-",
		"--checks", "kms-key-[^p]*", "--regions", "eu-west-1", "--quiet")
	r.sentence(t, exitCancelled, "cancelled", "--resume")
	audits := wholeAudits(t, data)
	if len(audits) != 1 || audits[0].State != model.AuditCancelled {
		t.Fatalf("audits %+v, want one, cancelled", audits)
	}
	if evidence, _ := filepath.Glob(filepath.Join(data, "blobs", "evidence", "*", "*", "*", "*", "*")); len(evidence) != 0 {
		t.Errorf("half an audit left evidence: %v", evidence)
	}
	if err := server.ClearFaults(); err != nil {
		t.Fatal(err)
	}
	if r := audit(t, data, neglected, "--resume", string(audits[0].ID), "--quiet"); r.code != exitOK {
		t.Fatalf("resumed: %d %s", r.code, r.stderr)
	}
	shown := decode[model.Audit](t, cloudarq(t, data, "audit", "show", "-o", "json"))
	if shown.ID != audits[0].ID || shown.State != model.AuditDone || shown.Summary.Score.Assessed == 0 {
		t.Errorf("after resuming: %+v", shown)
	}
}

func TestCancelFromAnotherProcess(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	if err := server.Fault(emulator.Fault{Service: "kms", Kind: emulator.Delay, Seconds: 8}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan result)
	go func() {
		ended <- cloudarqIn(t.Context(), data, neglected.ExternalID, "audit", "run", "--role-arn", neglected.RoleARN,
			"--external-id", "-", "--services", "kms", "--regions", "eu-west-1", "--quiet")
	}()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if r := cloudarq(t, data, "audit", "cancel", "latest"); r.code == exitOK {
			break
		}
	}
	select {
	case r := <-ended:
		r.sentence(t, exitCancelled, "cancelled")
	case <-time.After(20 * time.Second):
		t.Fatal("the audit went on after it was cancelled")
	}
}

func TestOutOfTime(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	if err := server.Fault(emulator.Fault{Service: "kms", Operation: "DescribeKey", Kind: emulator.Delay, Seconds: 6}); err != nil {
		t.Fatal(err)
	}
	r := kms(t, data, neglected, "--timeout", "2s", "-o", "json")
	if r.code != exitCancelled {
		t.Errorf("exit code %d, want %d: %s", r.code, exitCancelled, r.stderr)
	}
	verdicts := decode[[]shape.Verdict](t, r)
	if count(verdicts, check.NotAssessed) == 0 || count(verdicts, check.Fail) > 0 {
		t.Errorf("out of time: %d not assessed, %d failed", count(verdicts, check.NotAssessed), count(verdicts, check.Fail))
	}
}

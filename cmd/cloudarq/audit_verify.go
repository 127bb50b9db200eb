package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) auditVerify() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "verify [AUDIT]",
		Short: "Tell whether an audit's evidence and calls are as it wrote them",
		Long: `Tell whether what is kept of an audit is what the audit wrote. Every object of its
evidence and its ledger of calls is read and held to the SHA-256 and the length in
the audit's records; those are held to the statement that was signed when the audit
ended, a hash chain over all of them, and that to the public key.

An audit is signed if there is a keyring and audit run could open it without asking:
cloudarq admin signing-key makes both, and shows the public key. Keep that elsewhere
and give it with --key: whoever can write the data directory can put another in its
place. Without --key an unsigned audit is said to be unsigned, and is no error.

Exit code 7 says that something was changed, added or taken away since, or that the
audit is from before digests were kept, so that nobody can tell.`,
		Example: `  cloudarq audit verify
  cloudarq audit verify 111122223333 --key "$(cat signing-key.pub)"
  cloudarq audit verify 01KQ3 -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error { return c.verifyAudit(cmd.Context(), first(words), key) },
	}
	cmd.Flags().StringVar(&key, "key", "", "public key that has to have signed, as cloudarq admin signing-key shows it")
	return cmd
}

func (c *cli) verifyAudit(ctx context.Context, word, key string) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	var public ed25519.PublicKey
	if key != "" {
		if public, err = statement.ParseKey(key); err != nil {
			return usagef("--key: %w", err)
		}
	}
	return c.using(ctx, func(b backend) error {
		audit, err := findAudit(ctx, b, word)
		if err != nil {
			return err
		}
		found, err := b.Verify(ctx, audit, public)
		if err != nil {
			return err
		}
		if format == report.Table {
			writeVerification(c.stdout, found)
		} else if err := writeOne(c, found, verificationColumns()); err != nil {
			return err
		}
		switch found.Verdict {
		case pipeline.VerdictAltered:
			return &exitError{exitAltered, fmt.Errorf("what is kept of audit %s is not what it wrote: %s", audit.ID, report.Count(len(found.Problems), "problem"))}
		case pipeline.VerdictUnknown:
			return &exitError{exitAltered, fmt.Errorf("audit %s is from before digests were kept: nobody can tell whether it was changed", audit.ID)}
		}
		return nil
	})
}

func verificationColumns() []report.Column[pipeline.Verification] {
	return []report.Column[pipeline.Verification]{
		{Name: "audit", Value: func(v pipeline.Verification) string { return string(v.Audit) }},
		{Name: "verdict", Value: func(v pipeline.Verification) string { return v.Verdict }},
		{Name: "signature", Value: func(v pipeline.Verification) string { return v.Signature }},
		{Name: "fingerprint", Value: func(v pipeline.Verification) string { return v.Fingerprint }},
		{Name: "objects", Value: func(v pipeline.Verification) string { return strconv.Itoa(len(v.Objects)) }},
		{Name: "problems", Value: func(v pipeline.Verification) string { return strconv.Itoa(len(v.Problems)) }},
	}
}

// writeVerification says what was found, for people.
func writeVerification(w io.Writer, v pipeline.Verification) {
	line := func(format string, args ...any) { fmt.Fprintln(w, report.Plain(fmt.Sprintf(format, args...))) }
	whole := 0
	for _, o := range v.Objects {
		if o.State == pipeline.ObjectWhole {
			whole++
		}
	}
	line("Audit %s of account %s, %s: %s", v.Audit, v.AccountID, v.State, strings.ReplaceAll(v.Verdict, "_", " "))
	line("%d of %s as they were written", whole, report.Count(len(v.Objects), "object"))
	switch v.Signature {
	case pipeline.SignatureValid:
		line("Signed %s by the key %s", v.SignedAt.Local().Format(time.DateTime), v.Fingerprint)
	case pipeline.SignatureInvalid:
		line("Its signature does not fit")
	default:
		line("Not signed")
	}
	for _, p := range v.Problems {
		line("! %s", p)
	}
	for _, r := range v.Remarks {
		line("- %s", r)
	}
}

// signer signs audits, if that needs nobody to be asked: there is a keyring, and it has
// no passphrase, or that was given, or the connection asks for it anyway.
func (c *cli) signer(ctx context.Context, s *local.State, f runFlags) (pipeline.Signer, error) {
	protected, exists, err := s.Keyring()
	if err != nil {
		return nil, err
	}
	given := c.keyringPassphrase != "" || os.Getenv(keyringVariable) != "" || f.connection != ""
	if !exists || protected && !given {
		return nil, nil
	}
	keys := c.keys(s)
	release, err := secret.Hold(ctx, keys) // a wrong passphrase is known before the audit
	if err != nil {
		return nil, err
	}
	release()
	return s.Signer(keys), nil
}

// signingKey is a public key as it is shown.
type signingKey struct {
	PublicKey   string `json:"public_key"`
	Fingerprint string `json:"fingerprint"`
	Algorithm   string `json:"algorithm"`
}

func (c *cli) adminSigningKey() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signing-key",
		Short: "Show the public key that audits are signed by",
		Long: `Show the public key that audits are signed by. The first time it is made, and a
keyring if there is none, whose passphrase protects the private key. Keep the public
key elsewhere: cloudarq audit verify --key holds audits to it.`,
		Example: `  cloudarq admin signing-key
  cloudarq admin signing-key --keyring-passphrase prompt
  cloudarq admin signing-key -o csv | tail -1 | cut -d, -f1 > signing-key.pub`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := c.format(); err != nil {
				return err
			}
			return c.with(cmd.Context(), func(s *local.State) error {
				key, err := s.Signer(c.keys(s)).Public(cmd.Context(), local.Organization)
				if err != nil {
					return err
				}
				return writeOne(c, signingKey{statement.Text(key), statement.Fingerprint(key), "Ed25519"}, signingKeyColumns())
			})
		},
	}
	c.keyringFlag(cmd)
	return cmd
}

func signingKeyColumns() []report.Column[signingKey] {
	return []report.Column[signingKey]{
		{Name: "public_key", Value: func(k signingKey) string { return k.PublicKey }},
		{Name: "fingerprint", Value: func(k signingKey) string { return k.Fingerprint }},
		{Name: "algorithm", Value: func(k signingKey) string { return k.Algorithm }},
	}
}

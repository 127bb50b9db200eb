package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) adminAuditLog() *cobra.Command {
	cmd := &cobra.Command{Use: "auditlog", Short: "Look at what administrators of a deployment changed"}
	cmd.AddCommand(c.adminAuditLogVerify())
	return cmd
}

func (c *cli) adminAuditLogVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Tell whether an exported admin log is as it was written",
		Long: `Tell whether an exported admin log is as it was written: each entry has the hash of
its content and of the entry before. FILE has JSON lines, in the order of their numbers
or against it, as GET /v1/admin-log gives them with Accept: application/x-ndjson; it may
begin later than the log. "-" reads standard input.

That the file ends with the log's last entry it cannot show: hold the number and the
hash, which are printed, to those of GET /v1/admin-log/verification, or of an earlier
export.

Exit code 7 says that something was changed, added or taken away.`,
		Example: `  cloudarq admin auditlog verify admin-log.ndjson
  cloudarq admin auditlog verify - -o json <admin-log.ndjson`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, words []string) error { return c.verifyAuditLog(words[0]) },
	}
}

// exportedLog is what an exported admin log comes to.
type exportedLog struct {
	Entries int    `json:"entries"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
	Hash    string `json:"hash"` // of the last
}

func (c *cli) verifyAuditLog(file string) error {
	if _, err := c.format(); err != nil {
		return err
	}
	from := c.stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return usage(err)
		}
		defer func() { _ = opened.Close() }()
		from = opened
	}
	log, err := readAuditLog(from)
	if err != nil {
		return err
	}
	return write(c, []exportedLog{log}, []report.Column[exportedLog]{
		{Name: "entries", Value: func(l exportedLog) string { return strconv.Itoa(l.Entries) }},
		{Name: "first", Value: func(l exportedLog) string { return strconv.FormatInt(l.First, 10) }},
		{Name: "last", Value: func(l exportedLog) string { return strconv.FormatInt(l.Last, 10) }},
		{Name: "hash", Value: func(l exportedLog) string { return l.Hash }},
	})
}

// readAuditLog goes through the entries of an export. The first two tell in which order
// they are.
func readAuditLog(r io.Reader) (log exportedLog, err error) {
	altered := func(err error) error {
		return &exitError{exitAltered, fmt.Errorf("the admin log was altered: %w", err)}
	}
	var before model.AdminEntry
	forward := false
	// Each name once, and none that has no part in the hash: readers see what was hashed.
	decoder := jsontext.NewDecoder(r)
	for {
		var e model.AdminEntry
		err := json.UnmarshalDecode(decoder, &e, json.RejectUnknownMembers(true))
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return log, altered(fmt.Errorf("line %d is no entry: %w", log.Entries+1, err))
		}
		log.Entries++
		switch {
		case log.Entries == 1:
			log.First, log.Last, log.Hash = e.Seq, e.Seq, e.Hash
			err = e.Follows(model.AdminEntry{Seq: e.Seq - 1, Hash: e.Prev}) // whatever that is
			if err == nil && e.Seq == 1 && e.Prev != "" {
				err = errors.New("entry 1 follows another")
			}
		case log.Entries == 2 && e.Seq > before.Seq || forward:
			forward = true
			err = e.Follows(before)
			log.Last, log.Hash = e.Seq, e.Hash
		default:
			err = e.Follows(model.AdminEntry{Seq: e.Seq - 1, Hash: e.Prev})
			if err == nil {
				err = before.Follows(e)
			}
			if err == nil && e.Seq == 1 && e.Prev != "" {
				err = errors.New("entry 1 follows another")
			}
			log.First = e.Seq
		}
		if err != nil {
			return log, altered(err)
		}
		before = e
	}
	if log.Entries == 0 {
		return log, usage(errors.New("there is no entry"))
	}
	return log, nil
}

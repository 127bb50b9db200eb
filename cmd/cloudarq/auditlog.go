package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) adminAuditLog() *cobra.Command {
	cmd := &cobra.Command{Use: "auditlog", Short: "Look at what administrators changed"}
	cmd.AddCommand(c.adminAuditLogList(), c.adminAuditLogVerify())
	return cmd
}

func (c *cli) adminAuditLogList() *cobra.Command {
	return listOf(c, &cobra.Command{
		Use:   "list",
		Short: "List what administrators changed, newest first",
		Long: `List what administrators changed, newest first: who, from where, and what it was and is
since, without secrets. With -o ndjson it is an export that auditlog verify reads.`,
		Example: `  cloudarq admin auditlog list --server https://cloudarq.example.com
  cloudarq admin auditlog list --server https://cloudarq.example.com -o ndjson > admin-log.ndjson`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.using(cmd.Context(), func(b backend) error {
				return writeList(c, b.AdminLog(cmd.Context()), report.List[model.AdminEntry]{Columns: entryColumns()})
			})
		},
	}, "change", entryColumns())
}

func entryColumns() []report.Column[model.AdminEntry] {
	return []report.Column[model.AdminEntry]{
		{Name: "seq", Value: func(e model.AdminEntry) string { return strconv.FormatInt(e.Seq, 10) }},
		{Name: "at", Value: func(e model.AdminEntry) string { return e.At.UTC().Format(time.RFC3339) }},
		{Name: "who", Value: func(e model.AdminEntry) string { return cmp.Or(e.Actor.Name, e.Actor.ID) }},
		{Name: "kind", Value: func(e model.AdminEntry) string { return string(e.Actor.Kind) }, Fit: report.Spare},
		{Name: "address", Value: func(e model.AdminEntry) string { return e.Address }, Fit: report.Spare},
		{Name: "action", Value: func(e model.AdminEntry) string { return e.Action }},
		{Name: "object", Value: func(e model.AdminEntry) string { return e.Object }},
		{Name: "before", Value: func(e model.AdminEntry) string { return string(e.Before) }, Fit: report.Prose, Wide: true},
		{Name: "after", Value: func(e model.AdminEntry) string { return string(e.After) }, Fit: report.Prose, Wide: true},
		{Name: "hash", Value: func(e model.AdminEntry) string { return e.Hash }, Wide: true},
	}
}

func (c *cli) adminAuditLogVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Tell whether an admin log is as it was written",
		Long: `Tell whether an admin log is as it was written: each entry has the hash of its content
and of the entry before. Without FILE the whole log is read, of this machine or of the
server. FILE is an export: JSON lines, in the order of their numbers or against it, as
auditlog list -o ndjson and GET /v1/admin-log give them; it may begin later than the
log. "-" reads standard input.

That a file ends with the log's last entry it cannot show, and who can write a server's
records can write a whole log: hold the number and the hash, which are printed, to those
of an earlier time.

Exit code 7 says that something was changed, added or taken away.`,
		Example: `  cloudarq admin auditlog verify --server https://cloudarq.example.com
  cloudarq admin auditlog verify admin-log.ndjson
  cloudarq admin auditlog verify - -o json <admin-log.ndjson`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) == 1 {
				return c.verifyAuditLog(words[0])
			}
			return c.using(cmd.Context(), func(b backend) error {
				return c.showAuditLog(verifiedLog(b.AdminLog(cmd.Context())))
			})
		},
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
	return c.showAuditLog(verifiedLog(exported(from)))
}

func (c *cli) showAuditLog(log exportedLog, err error) error {
	if err != nil {
		return err
	}
	return writeOne(c, log, []report.Column[exportedLog]{
		{Name: "entries", Value: func(l exportedLog) string { return strconv.Itoa(l.Entries) }},
		{Name: "first", Value: func(l exportedLog) string { return strconv.FormatInt(l.First, 10) }},
		{Name: "last", Value: func(l exportedLog) string { return strconv.FormatInt(l.Last, 10) }},
		{Name: "hash", Value: func(l exportedLog) string { return l.Hash }},
	})
}

// altered says that an admin log is not what was written.
func altered(err error) error {
	return &exitError{exitAltered, fmt.Errorf("the admin log was altered: %w", err)}
}

// exported yields the entries of an export.
func exported(r io.Reader) iter.Seq2[model.AdminEntry, error] {
	return func(yield func(model.AdminEntry, error) bool) {
		// Each name once, and none that has no part in the hash: readers see what was hashed.
		decoder := jsontext.NewDecoder(r)
		for line := 1; ; line++ {
			var e model.AdminEntry
			err := json.UnmarshalDecode(decoder, &e, json.RejectUnknownMembers(true))
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return
			}
			if err != nil {
				err = altered(fmt.Errorf("line %d is no entry: %w", line, err))
			}
			e.Before, e.After = report.Unescaped(e.Before), report.Unescaped(e.After)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// verifiedLog goes through the entries of a log. The first two tell in which order they are.
func verifiedLog(entries iter.Seq2[model.AdminEntry, error]) (log exportedLog, err error) {
	var before model.AdminEntry
	forward := false
	for e, err := range entries {
		if err != nil {
			return log, err
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

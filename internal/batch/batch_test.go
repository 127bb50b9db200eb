package batch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		sizes []int
		want  [][]int
	}{
		"nothing":           {nil, nil},
		"by number":         {make([]int, 11), [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10}}},
		"by bytes":          {[]int{100 << 10, 100 << 10, 100 << 10}, [][]int{{0, 1}, {2}}},
		"exactly the limit": {[]int{1, MaxBytes - 1, 1}, [][]int{{0, 1}, {2}}},
		"one too large":     {[]int{1, MaxBytes + 1, 1}, [][]int{{0}, {1}, {2}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Collect(split(len(c.sizes), func(i int) int { return c.sizes[i] }))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Whatever is refused how often, each entry is taken once, in batches that fit.
func TestSendTakesEachOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 100<<10), 0, 40).Draw(rt, "sizes")
		synctest.Test(t, func(t *testing.T) {
			taken := map[int]int{}
			sent, err := Send(t.Context(), len(sizes), func(i int) int { return sizes[i] }, func(entries []int) (Answer, error) {
				bytes := 0
				var a Answer
				for _, i := range entries {
					bytes += sizes[i]
					switch rapid.IntRange(0, 2).Draw(rt, "outcome") {
					case 0:
						a.Refused = append(a.Refused, Refusal{Code: "InternalError"})
					case 1: // not a word about it
					default:
						a.Taken = append(a.Taken, ID(i))
						taken[i]++
					}
				}
				if len(entries) > MaxEntries || bytes > MaxBytes {
					t.Errorf("a batch of %d entries and %d bytes", len(entries), bytes)
				}
				return a, nil
			})
			if err != nil && strings.Contains(err.Error(), "10 times in a row") {
				return // a streak of bad luck
			}
			if err != nil || sent != len(sizes) || len(taken) != len(sizes) {
				t.Fatalf("%d of %d sent, %v", sent, len(sizes), err)
			}
			for i, n := range taken {
				if n != 1 {
					t.Errorf("entry %d was taken %d times", i, n)
				}
			}
		})
	})
}

func TestSendEnds(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		call  func(n int, entries []int) (Answer, error)
		sent  int
		calls int
		want  string
	}{
		"sender's fault": {func(_ int, e []int) (Answer, error) {
			return Answer{Taken: []string{ID(e[0])}, Refused: []Refusal{{Code: "Bad", Message: "no", SenderFault: true}}}, nil
		}, 1, 1, "refused: Bad: no"},
		"error of the second batch": {func(n int, e []int) (Answer, error) {
			if n == 2 {
				return Answer{}, mine
			}
			var a Answer
			for _, i := range e {
				a.Taken = append(a.Taken, ID(i))
			}
			return a, nil
		}, 10, 2, "mine"},
		"always refused": {func(int, []int) (Answer, error) {
			return Answer{Refused: []Refusal{{Code: "InternalError", Message: "later"}}}, nil
		}, 0, idleTries, "refused 10 times in a row: InternalError: later"},
		"never answered": {func(int, []int) (Answer, error) { return Answer{}, nil }, 0, idleTries, "not taken 10 times in a row"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				sent, err := Send(t.Context(), 12, func(int) int { return 1 }, func(e []int) (Answer, error) {
					calls++
					return c.call(calls, e)
				})
				if err == nil || err.Error() != c.want || sent != c.sent || calls != c.calls {
					t.Errorf("%d sent in %d calls, %v; want %d in %d, %s", sent, calls, err, c.sent, c.calls, c.want)
				}
			})
		})
	}
}

func TestSendEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := Send(ctx, 1, func(int) int { return 1 }, func([]int) (Answer, error) { return Answer{}, nil })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

package check

// Memo keeps what rules work out of a text that many resources share, such as the
// policy of AWS that a thousand roles have. It is kept in a variable of the package;
// the values are the judge's, which drops them when there are too many.
type Memo[V any] struct {
	of func(text string) V
}

// mostMemos bounds what a judge keeps for one Memo.
const mostMemos = 4096

// NewMemo makes a memo of a pure function.
func NewMemo[V any](of func(text string) V) *Memo[V] { return &Memo[V]{of} }

// Of is the function's value of the text.
func (m *Memo[V]) Of(e *Evidence, text string) V {
	kept, _ := e.memos[m].(map[string]V)
	if v, ok := kept[text]; ok {
		return v
	}
	if kept == nil || len(kept) == mostMemos {
		kept = map[string]V{}
		if e.memos == nil {
			e.memos = map[any]any{}
		}
		e.memos[m] = kept
	}
	v := m.of(text)
	kept[text] = v
	return v
}

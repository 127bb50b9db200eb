package api

import (
	"errors"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"
	strict "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	compatible "github.com/go-json-experiment/json/v1"
)

var (
	errDeep = fmt.Errorf("objects and lists are in each other more than %d times", maxDepth)
	errNull = errors.New("null is no value: leave the name out")
)

// strictJSON reads a body as whoever wrote it meant it: each name once, spelled as it is
// documented, and none that nobody reads. Validation and the handler would see two
// different bodies otherwise. It writes lists as lists, whether there is anything in them or
// not, and all else as encoding/json does.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		return strict.MarshalWrite(w, v, compatible.DefaultOptionsV1(), strict.FormatNilSliceAsNull(false), jsontext.EscapeForHTML(false))
	},
	Unmarshal: func(data []byte, v any) error {
		if deep(data) {
			return errDeep
		}
		if _, untyped := v.(*any); untyped { // for the validation
			return strict.Unmarshal(data, v, strict.RejectUnknownMembers(true))
		}
		err := strict.Unmarshal(data, v, strict.RejectUnknownMembers(true), strict.WithUnmarshalers(noNull))
		var at *strict.SemanticError
		if errors.Is(err, errNull) && errors.As(err, &at) {
			return fmt.Errorf("%s: %w", at.JSONPointer, errNull)
		}
		return err
	},
}

// noNull refuses null wherever a body has something of ours: no schema has it, but the
// validation takes it for what was left out, and a number or a text would be read as zero.
var noNull = strict.UnmarshalFromFunc(func(d *jsontext.Decoder, _ any) error {
	if d.PeekKind() == 'n' {
		return errNull
	}
	return errors.ErrUnsupported
})

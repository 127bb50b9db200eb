package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
)

// isCBOR reports whether a request is of the protocol whose bodies are no text.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func isCBOR(r *http.Request) bool { return r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" }

// toCBOR writes a scenario's JSON in CBOR. Text that is a time becomes one.
func toCBOR(body []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("wire: an answer in CBOR is written as JSON: %w", err)
	}
	return cbor.Encode(cborOf(value)), nil
}

func cborOf(value any) cbor.Value {
	switch v := value.(type) {
	case map[string]any:
		m := cbor.Map{}
		for key, member := range v {
			m[key] = cborOf(member)
		}
		return m
	case []any:
		list := cbor.List{}
		for _, element := range v {
			list = append(list, cborOf(element))
		}
		return list
	case bool:
		return cbor.Bool(v)
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return &cbor.Tag{ID: 1, Value: cbor.Uint(at.Unix())} //nolint:gosec // after 1970
		}
		return cbor.String(v)
	case json.Number:
		if n, err := v.Int64(); err == nil && n < 0 {
			return cbor.NegInt(-n) //nolint:gosec // positive
		} else if err == nil {
			return cbor.Uint(n) //nolint:gosec // not negative
		}
		f, _ := v.Float64()
		return cbor.Float64(f)
	default:
		return &cbor.Nil{}
	}
}

// errorText is the code and the message of AWS's error.
func errorText(err error) (code, message string) {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode(), api.ErrorMessage()
	}
	return "InternalFailure", err.Error()
}

package blob

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/klauspost/compress/zstd"
)

// ErrDamaged says that a file of JSON lines is cut off, altered or something else.
var ErrDamaged = errors.New("damaged file")

// MaxLine is the most bytes of one line of JSON, its newline included. It keeps
// a damaged or hostile file from filling the memory of its reader.
const MaxLine = 16 << 20

// window is how far back zstd looks for repetitions. Resources of one service
// repeat their field names within a few kilobytes; more costs memory, not size.
const window = 128 << 10

// Writer writes values as zstd-compressed lines of JSON (.ndjson.zst), one
// frame with a checksum, which Athena and `zstd -d` read as they are. It holds
// less than 2 MB while open. Not safe for concurrent use.
type Writer struct {
	z     *zstd.Encoder
	line  lineBuffer
	json  *json.Encoder
	count int
	err   error
}

// NewWriter makes a Writer on w. Close it, or the file is cut off.
func NewWriter(w io.Writer) *Writer {
	z, err := zstd.NewWriter(w,
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window),
		zstd.WithLowerEncoderMem(true),
		zstd.WithZeroFrames(true), // no lines are a file too, unlike no bytes
	)
	out := &Writer{z: z, err: err} // never an error with these options
	out.json = json.NewEncoder(&out.line)
	out.json.SetEscapeHTML(false)
	return out
}

// Reset begins a new file on to. What it was used for before is forgotten, closed
// or not.
func (w *Writer) Reset(to io.Writer) {
	w.z.Reset(to)
	w.count, w.err = 0, nil
}

// Write appends v as one line. A value that JSON cannot hold, or is longer than
// MaxLine, is refused and leaves the file as it was; any other error is of the
// underlying writer and stays.
func (w *Writer) Write(v any) error {
	if w.err != nil {
		return w.err
	}
	w.line.b = w.line.b[:0]
	if err := w.json.Encode(v); err != nil {
		// The encoder remembers the errors of its writer only, and ours has none.
		return fmt.Errorf("line %d: %w", w.count+1, err)
	}
	if len(w.line.b) > MaxLine {
		return fmt.Errorf("line %d has %d bytes, at most %d", w.count+1, len(w.line.b), MaxLine)
	}
	if _, err := w.z.Write(w.line.b); err != nil {
		w.err = fmt.Errorf("line %d: %w", w.count+1, err)
		return w.err
	}
	w.count++
	if cap(w.line.b) > window {
		w.line.b = nil // one long line need not cost memory to the end
	}
	return nil
}

// Count is the number of lines written.
func (w *Writer) Count() int { return w.count }

// Close completes the file; it does not close the underlying writer. After an
// error, its own or an earlier one, the file is not to be used. A second Close
// answers as the first; a Write after Close is an error.
func (w *Writer) Close() error {
	if w.err == errClosed {
		return nil
	}
	if w.err != nil {
		_ = w.z.Close()
		return w.err
	}
	if err := w.z.Close(); err != nil {
		w.err = fmt.Errorf("end of file: %w", err)
		return w.err
	}
	w.err = errClosed
	return nil
}

var errClosed = errors.New("write to a closed file of JSON lines")

type lineBuffer struct{ b []byte }

func (l *lineBuffer) Write(p []byte) (int, error) {
	l.b = append(l.b, p...)
	return len(p), nil
}

// Read yields the values of a file made by Writer, one after the other: memory
// does not grow with the file. Whatever is wrong is yielded last, with a zero
// value: an error that names the line, wrapping ErrDamaged, or the underlying
// reader's own. Without one, the file was whole.
//
// Lines before a damage are yielded before it is found, so nothing may be
// concluded from a file (that a resource is gone, say) until its end.
func Read[T any](r io.Reader) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		lines, err := newLineReader(r)
		if err == nil {
			defer lines.z.Close()
			err = eachLine(lines, func(v T) bool { return yield(v, nil) })
		}
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

func eachLine[T any](lines *lineReader, yield func(T) bool) error {
	for {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return fmt.Errorf("line %d: %w: %w", lines.n, ErrDamaged, err)
		}
		if !yield(v) {
			return nil
		}
	}
}

type lineReader struct {
	in  *source
	z   *zstd.Decoder
	buf *bufio.Reader
	n   int // of the line last begun
	acc []byte
}

func newLineReader(r io.Reader) (*lineReader, error) {
	in := &source{r: r}
	z, err := zstd.NewReader(in,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20),
	)
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	return &lineReader{in: in, z: z, buf: bufio.NewReader(z)}, nil
}

// next returns the next line without its newline, valid until the next call.
func (l *lineReader) next() ([]byte, error) {
	l.n++
	l.acc = l.acc[:0]
	for {
		part, err := l.buf.ReadSlice('\n')
		l.acc = append(l.acc, part...)
		switch {
		case len(l.acc) > MaxLine:
			return nil, fmt.Errorf("line %d: %w: more than %d bytes", l.n, ErrDamaged, MaxLine)
		case err == nil:
			return l.acc[:len(l.acc)-1], nil
		case err == bufio.ErrBufferFull:
		case l.in.err != nil:
			return nil, fmt.Errorf("line %d: %w", l.n, l.in.err)
		case err != io.EOF:
			return nil, fmt.Errorf("line %d: %w: %w", l.n, ErrDamaged, err)
		case l.in.n == 0:
			return nil, fmt.Errorf("line %d: %w: no content at all", l.n, ErrDamaged)
		case len(l.acc) > 0:
			return nil, fmt.Errorf("line %d: %w: no newline at its end", l.n, ErrDamaged)
		default:
			return nil, io.EOF
		}
	}
}

// source counts bytes and keeps the reader's own error apart from damage.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

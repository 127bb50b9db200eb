package lambdahost

import (
	"bytes"
	"os"
	"time"
)

// barrier goes through a process's own output, to tell when everything before it was
// read.
const barrier = "\x00lambdahost\x00"

// output reads what a process writes and hands it on line by line.
type output struct {
	line   func(string)
	read   *os.File
	write  *os.File // also the process's stdout and stderr
	passed chan struct{}
	ended  chan struct{}
	rest   []byte // only of run
}

func newOutput(line func(string)) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &output{line: line, read: r, write: w, passed: make(chan struct{}, 1), ended: make(chan struct{})}, nil
}

// run reads until close.
func (o *output) run() {
	defer close(o.ended)
	chunk := make([]byte, 32*1024)
	for {
		n, err := o.read.Read(chunk)
		o.rest = append(o.rest, chunk[:n]...)
		o.handOn()
		if err != nil { // the end, or the deadline that close sets
			break
		}
	}
	if len(o.rest) > 0 {
		o.line(string(o.rest))
	}
}

// handOn hands on the whole lines and takes out barriers.
func (o *output) handOn() {
	for {
		before, after, found := bytes.Cut(o.rest, []byte(barrier))
		if !found {
			o.rest = o.lines(o.rest)
			return
		}
		o.rest = append(bytes.Clone(o.lines(before)), after...)
		o.passed <- struct{}{}
	}
}

// lines hands on whole lines and returns what follows them.
func (o *output) lines(text []byte) []byte {
	for {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return text
		}
		o.line(string(line))
		text = rest
	}
}

// sync waits until what was written so far was handed on. One at a time.
func (o *output) sync() {
	if _, err := o.write.WriteString(barrier); err != nil {
		return // closed: then everything was
	}
	select {
	case <-o.passed:
	case <-o.ended:
	}
}

// close ends the reading when the process has ended. A grandchild may hold the
// output open a little longer.
func (o *output) close(grace time.Duration) {
	_ = o.write.Close()
	_ = o.read.SetReadDeadline(time.Now().Add(grace))
	<-o.ended
	_ = o.read.Close()
}

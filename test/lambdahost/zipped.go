package lambdahost

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"os"
)

// Zipped is the size of a program in a deployment package that holds nothing else.
func Zipped(program string) (int64, error) {
	var size counter
	archive := zip.NewWriter(&size)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	entry, err := archive.Create("bootstrap")
	if err != nil {
		return 0, fmt.Errorf("zip %s: %w", program, err)
	}
	binary, err := os.Open(program)
	if err != nil {
		return 0, fmt.Errorf("zip %s: %w", program, err)
	}
	defer binary.Close()
	if _, err := io.Copy(entry, binary); err != nil {
		return 0, fmt.Errorf("zip %s: %w", program, err)
	}
	if err := archive.Close(); err != nil {
		return 0, fmt.Errorf("zip %s: %w", program, err)
	}
	return int64(size), nil
}

// counter counts what is written to it.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

package main

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// file is one that is packed.
type file struct {
	name string // in the archive
	path string
	mode fs.FileMode
}

// tarred writes an archive that depends on nothing but the files and the time.
func tarred(to string, at time.Time, files []file) error {
	return created(to, func(out io.Writer) error {
		packed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
		if err != nil {
			return err
		}
		archive := tar.NewWriter(packed)
		for _, f := range files {
			info, err := os.Stat(f.path)
			if err != nil {
				return err
			}
			header := tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: info.Size(), Mode: int64(f.mode), ModTime: at, Format: tar.FormatUSTAR}
			if err := archive.WriteHeader(&header); err != nil {
				return err
			}
			if err := f.copyTo(archive); err != nil {
				return err
			}
		}
		if err := archive.Close(); err != nil {
			return err
		}
		return packed.Close()
	})
}

// zipped writes an archive that depends on nothing but the files and the time.
func zipped(to string, at time.Time, files []file) error {
	return created(to, func(out io.Writer) error {
		archive := zip.NewWriter(out)
		archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
		for _, f := range files {
			header := zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at.UTC()}
			header.SetMode(f.mode)
			entry, err := archive.CreateHeader(&header)
			if err != nil {
				return err
			}
			if err := f.copyTo(entry); err != nil {
				return err
			}
		}
		return archive.Close()
	})
}

func (f file) copyTo(w io.Writer) error {
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(w, in)
	return err
}

// created makes a file of what write writes.
func created(path string, write func(io.Writer) error) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(out); err != nil {
		out.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return out.Close()
}

package drf

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
)

// spool is a file of differences. It has no name any more, so nothing is left of it however the process ends. It holds hashes of passwords.
type spool[K any] struct {
	file    *os.File
	buffer  *bufio.Writer
	encoder *gob.Encoder
	count   int
}

func newSpool[K any]() (*spool[K], error) {
	file, err := os.CreateTemp("", "drf-import-*")
	if err != nil {
		return nil, fmt.Errorf("a file for what differs: %w; TMPDIR names the folder", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	buffer := bufio.NewWriterSize(file, 1<<16)
	return &spool[K]{file: file, buffer: buffer, encoder: gob.NewEncoder(buffer)}, nil
}

func (s *spool[K]) add(difference Difference[K]) error {
	s.count++
	return s.encoder.Encode(&difference)
}

// batches hands over all differences in the order in which they came.
func (s *spool[K]) batches(work func([]Difference[K]) error) error {
	if err := s.buffer.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	decoder := gob.NewDecoder(bufio.NewReaderSize(s.file, 1<<16))
	for left := s.count; left > 0; {
		var batch []Difference[K]
		for size := 0; left > 0 && size < batchSize; left-- {
			var next Difference[K]
			if err := decoder.Decode(&next); err != nil {
				return err
			}
			batch = append(batch, next)
			size += next.Kind.size()
		}
		if err := work(batch); err != nil {
			return err
		}
	}
	return nil
}

func (s *spool[K]) close() error { return s.file.Close() }

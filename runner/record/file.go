package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// FileName is what the file of a run's record is called.
const FileName = "record.json"

// Write puts the record at path, all of it or nothing: a reader, or a crash in
// between, finds the file that was there before or the new one. The folder is
// made if it is not there. It refuses a record of another version.
func Write(path string, r *Record) (err error) {
	if r.Version != Version {
		return fmt.Errorf("%s: a record of version %d cannot be written: this program writes version %d", path, r.Version, Version)
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(append(data, '\n')); err != nil {
		return err
	}
	// CreateTemp makes it readable by the owner alone; a report is for others too.
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Read reads the record at path. Another version, a field that this version
// does not have, and anything after the record are errors.
func Read(path string) (*Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Parse reads a record from the text of its file.
func Parse(data []byte) (*Record, error) {
	// The version first: what another version's fields mean is not known here.
	var head struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("not a record: %w", where(data, err))
	}
	if head.Version == nil {
		return nil, errors.New("not a record: it has no version")
	}
	if *head.Version != Version {
		return nil, fmt.Errorf("a record of version %d; this program reads version %d", *head.Version, Version)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	r := new(Record)
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("not a record of version %d: %w", Version, where(data, err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more after the end of the record")
	}
	return r, nil
}

// where adds the line to an error that has only an offset.
func where(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	if offset < 0 || offset > int64(len(data)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:offset], []byte("\n")), err)
}

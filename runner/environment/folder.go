package environment

import (
	"os"
	"path/filepath"
)

// FolderName is what the folder of a project's environments is called.
const FolderName = "environments"

// Folder finds the environments for the scenarios at path, a file or folder:
// the nearest folder called environments in or above it. Where there is none it
// returns the place at which it would be looked for first. It does not leave
// the repository (the folder that holds .git).
func Folder(path string) string {
	at := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		at = filepath.Dir(path)
	}
	nearest := filepath.Join(at, FolderName)
	for {
		folder := filepath.Join(at, FolderName)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder
		}
		above, err := above(at)
		if err != nil {
			return nearest
		}
		at = above
	}
}

// above returns the folder above dir. A relative path stays relative as long
// as it can, for messages are about it.
func above(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
		return "", os.ErrNotExist
	}
	dir = filepath.Clean(dir)
	if base := filepath.Base(dir); base != "." && base != ".." && base != string(filepath.Separator) {
		return filepath.Dir(dir), nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil || filepath.Dir(abs) == abs {
		return "", os.ErrNotExist
	}
	return filepath.Join(dir, ".."), nil
}

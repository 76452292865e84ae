package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/atalaya-isr/atalaya"
)

// DefaultDir is where a record lies when nobody says otherwise: atalaya in the user's data folder ($XDG_DATA_HOME or
// ~/.local/share; the system's own on macOS and Windows).
func DefaultDir() (string, error) {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "atalaya"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		d, err := os.UserConfigDir()
		return filepath.Join(d, "atalaya"), err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", &atalaya.Error{Op: "record.open", Kind: atalaya.BadUse, Err: err, Hint: "Name a folder with --data or $ATALAYA_DATA"}
	}
	return filepath.Join(home, ".local", "share", "atalaya"), nil
}

// KeyFromEnv is the key that the environment gives, in $ATALAYA_KEY or in the file that $ATALAYA_KEY_FILE names; nil for none.
func KeyFromEnv() ([]byte, error) {
	text, file := os.Getenv("ATALAYA_KEY"), os.Getenv("ATALAYA_KEY_FILE")
	if file == "" {
		return ParseKey([]byte(text))
	}
	if text != "" {
		return nil, &atalaya.Error{Op: "record.key", Kind: atalaya.BadUse, Err: errors.New("both $ATALAYA_KEY and $ATALAYA_KEY_FILE are set"), Hint: "Unset one"}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, &atalaya.Error{Op: "record.key", File: file, Kind: atalaya.BadUse, Err: errors.Unwrap(err), Hint: "Name the file that holds the key"}
	}
	k, err := ParseKey(raw)
	if err == nil && k == nil {
		return nil, &atalaya.Error{Op: "record.key", File: file, Kind: atalaya.BadUse, Err: errors.New("the file is empty"), Hint: "Put the key into it, or unset $ATALAYA_KEY_FILE"}
	}
	return k, err
}

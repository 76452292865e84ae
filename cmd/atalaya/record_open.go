package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/store/sqlite"
)

// recordOptions are the options under which the record of a command is opened.
func recordOptions(cmd *cobra.Command) (sqlite.Options, error) {
	if db, _ := cmd.Flags().GetString("db"); db != "" {
		return sqlite.Options{}, &atalaya.Error{Op: "open", Kind: atalaya.BadUse, Err: errors.New("the PostgreSQL record is not built yet"), Hint: "Leave --db out: the record is then a folder, see --data"}
	}
	key, err := sqlite.KeyFromEnv()
	return sqlite.Options{Key: key}, err
}

// recordDir is the data folder: --data, $ATALAYA_DATA, or the user's data folder.
func recordDir(cmd *cobra.Command) (string, error) {
	if f := cmd.Flag("data"); f != nil && f.Value.String() != "" {
		return f.Value.String(), nil
	}
	if d := os.Getenv("ATALAYA_DATA"); d != "" {
		return d, nil
	}
	return sqlite.DefaultDir()
}

// openRecord opens the record in a folder, and makes it where there is none. The caller closes it.
func openRecord(cmd *cobra.Command, dir string) (*sqlite.DB, error) {
	opts, err := recordOptions(cmd)
	if err != nil {
		return nil, err
	}
	return sqlite.OpenDir(cmd.Context(), dir, opts)
}

// existingRecord opens a record that is there, for commands that make none.
func existingRecord(cmd *cobra.Command) (*sqlite.DB, error) {
	dir, err := recordDir(cmd)
	if err != nil {
		return nil, err
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) == 0 {
		return nil, &atalaya.Error{Op: "record.open", File: dir, Kind: atalaya.NotFound, Err: errors.New("no record here"), Hint: "Name its folder with --data or $ATALAYA_DATA"}
	}
	return openRecord(cmd, dir)
}

// openApp opens the record that a command works on. The caller closes it.
func openApp(cmd *cobra.Command) (*app.App, func(), error) {
	dir, err := recordDir(cmd)
	if err != nil {
		return nil, nil, err
	}
	return openAppAt(cmd, dir)
}

func openAppAt(cmd *cobra.Command, dir string) (*app.App, func(), error) {
	db, err := openRecord(cmd, dir)
	if err != nil {
		return nil, nil, err
	}
	return app.New(db, version), func() { db.Close() }, nil
}

// acting opens the record as the account whose token was given.
func acting(cmd *cobra.Command) (a *app.App, who app.Account, view access.View, closeIt func(), err error) {
	a, closeIt, err = openApp(cmd)
	if err != nil {
		return nil, who, view, nil, err
	}
	token, _ := cmd.Flags().GetString("token")
	if token == "" {
		token = os.Getenv("ATALAYA_TOKEN")
	}
	if who, err = a.ByToken(cmd.Context(), token); err == nil {
		view, err = a.View(cmd.Context(), who)
	}
	if err != nil {
		closeIt()
		return nil, who, view, nil, err
	}
	return a, who, view, closeIt, nil
}

// firstAccount makes the first account of a new record and says its token once.
func firstAccount(ctx context.Context, a *app.App, say func(string, ...any)) error {
	old, err := a.Accounts(ctx)
	if err != nil || len(old) > 0 {
		return err
	}
	who, token, err := a.AddAccount(ctx, "", "first", "analyst", "")
	if err != nil {
		return err
	}
	say("A first account was made: %s. Its token is shown once:\n  export ATALAYA_TOKEN=%s\nGive it a password, and make a second person's account, with `atalaya account`.\n", who.Name, token)
	return nil
}

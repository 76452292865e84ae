package main

import (
	"bufio"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/internal/app"
)

func accountCommand() *cobra.Command {
	c := &cobra.Command{Use: "account", Short: "The people who may sign in"}
	c.AddCommand(accountAddCommand(), accountListCommand())
	return c
}

func accountAddCommand() *cobra.Command {
	var role string
	var withPassword bool
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Make an account and print its token, once; the first account needs no token",
		Example: `  atalaya account add "A. Ruiz" --role reviewer
  echo "a long password" | atalaya account add luis --password-stdin`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, closeIt, err := openApp(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			old, err := a.Accounts(cmd.Context())
			if err != nil {
				return err
			}
			var by atalaya.AccountID
			if len(old) > 0 {
				_, who, _, closeSecond, err := acting(cmd)
				if err != nil {
					return err
				}
				closeSecond()
				if !who.Decides() {
					return &atalaya.Error{Kind: atalaya.Refused, Err: fmt.Errorf("%s may look, not make accounts", who.Name), Hint: "Ask an analyst or a reviewer"}
				}
				by = who.ID
			}
			password := ""
			if withPassword {
				if password, err = bufio.NewReader(cmd.InOrStdin()).ReadString('\n'); err != nil && password == "" {
					return &atalaya.Error{Kind: atalaya.BadUse, Err: fmt.Errorf("no password on standard input"), Hint: "Pipe one line into the command"}
				}
				password = strings.TrimRight(password, "\r\n")
			}
			who, token, err := a.AddAccount(cmd.Context(), by, args[0], role, password)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s (%s) is %s. The token is shown once:\n", who.Name, who.Role, who.ID)
			fmt.Fprintln(cmd.OutOrStdout(), token)
			return nil
		},
	}
	c.Flags().StringVar(&role, "role", "analyst", "one of "+strings.Join(app.Roles[:], ", "))
	c.Flags().BoolVar(&withPassword, "password-stdin", false, "read a password for the workbench from standard input")
	return c
}

func accountListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "All accounts, in the order in which they were made",
		Example: "  atalaya account list\n  atalaya account list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, closeIt, err := openApp(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			list, err := a.Accounts(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"schema": "atalaya.accounts/1", "accounts": list})
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, who := range list {
				fmt.Fprintf(t, "%s\t%s\t%s\n", who.Name, who.Role, who.ID)
			}
			return t.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document, atalaya.accounts/1")
	return c
}

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/geodesy"
	"github.com/atalaya-isr/atalaya/internal/app"
	"github.com/atalaya-isr/atalaya/outcome"
)

// extent is the long and the short semi-axis of a 95 % region, as a person reads it.
func extent(c [2][2]float64) string {
	e := geodesy.EllipseOf(c, 0.95)
	return fmt.Sprintf("%.0f x %.0f", e.MajorM, e.MinorM)
}

// day reads a date, or a time in RFC 3339.
func day(name, text string) (time.Time, error) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, misuse{fmt.Errorf("--%s %q is no date. Write it like 2026-03-14", name, text)}
}

func siteCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "site SITE",
		Short: "All about one place: its ledger, who decided what, what left and what came back",
		Example: `  atalaya site site_2f0c...
  atalaya site site_2f0c... --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, who, view, closeIt, err := acting(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			card, err := a.Card(cmd.Context(), who, view, atalaya.CandidateID(args[0]))
			if err != nil {
				return err
			}
			next := []app.NextLook{}
			if !card.Gone {
				v, err := a.NextLooks(cmd.Context(), view, card.Site.ID)
				if err != nil {
					return err
				}
				next = v.Looks
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), struct {
					Schema string `json:"schema"`
					app.SiteCard
					Next []app.NextLook `json:"next_looks"`
				}{"atalaya.site/1", card, next})
			}
			return printCard(cmd.OutOrStdout(), card, next)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document, atalaya.site/1")
	return c
}

func printCard(w io.Writer, c app.SiteCard, next []app.NextLook) error {
	fmt.Fprintf(w, "%s\n%s  rank %d  p = %.3f (%s)  %.*f %.*f  95 %% region %s m  %s\n", c.Banner.Text, c.Site.ID, c.Site.Rank, c.Site.Probability, wordOf(c.Site.Word),
		c.Site.Digits, c.Site.Lat, c.Site.Digits, c.Site.Lon, extent(c.Site.CovarianceM2), c.Site.Status)
	if r := c.Site.Range; r != nil {
		fmt.Fprintf(w, "%d cases of the calibration stand behind it: with 90 %% confidence p lies between %.3f and %.3f\n", c.Site.Cases, r[0], r[1])
	} else {
		fmt.Fprintln(w, "not calibrated: there is no word of likelihood")
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, row := range c.Ledger {
		fmt.Fprintf(t, "%+.3f\t%s\t%s\t  %s\n", row.LogOdds, row.Kind, row.Grade, row.Note)
	}
	fmt.Fprintf(t, "%+.3f\tsum\t\t  log-odds, so p = %.3f\n", c.Site.LogOdds, c.Site.Probability)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, x := range c.Alternatives {
		fmt.Fprintf(w, "alternative: %s %.3f\n", x.Label, x.Probability)
	}
	for _, l := range next[:min(len(next), 3)] {
		b := l.Bands[l.Best]
		fmt.Fprintf(w, "advice: %s by %s would tell %.4f bit a flight hour: p = %.3f after a find, %.3f after none; finds came most from %d to %d h solar time (%d in %d looks)\n",
			l.Kind, cmp.Or(l.Platform, "a platform without a name"), l.PerHour, l.IfSeen, l.IfNot, b.From, b.To, b.Finds, b.Looks)
	}
	if c.Case != nil {
		fmt.Fprintf(w, "%s opened by %s; basis %s\n", c.Case.ID, c.Case.OpenedByName, c.Case.LegalBasis.Instrument)
	}
	for _, d := range c.Attached {
		fmt.Fprintf(w, "attached by %s, adds nothing to the sum: %s  %s\n", d.ByName, d.Headline, d.Why)
	}
	for _, r := range c.Reviews {
		fmt.Fprintf(w, "%s  %s by %s  %s\n", r.At.Format(time.RFC3339), r.Decision, r.ByName, r.Why)
	}
	for _, r := range c.Releases {
		fmt.Fprintf(w, "%s  released to %s by %s as %s\n", r.At.Format(time.RFC3339), r.Recipient, r.ByName, r.Reference)
	}
	if c.Missing != "" {
		fmt.Fprintln(w, "before it can be released:", c.Missing)
	}
	fmt.Fprintln(w, c.Banner.Text)
	return nil
}

// basisFlags are the legal basis that a decision rests on.
type basisFlags struct{ instrument, reviewBy string }

func (b *basisFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&b.instrument, "legal-basis", "", "the agreement or order that this rests on, in words")
	c.Flags().StringVar(&b.reviewBy, "review-by", "", "the day by which that basis is to be looked at again, at most five years from now")
}

func (b *basisFlags) read() (atalaya.LegalBasis, error) {
	if b.instrument == "" && b.reviewBy == "" {
		return atalaya.LegalBasis{}, nil
	}
	t, err := day("review-by", b.reviewBy)
	return atalaya.LegalBasis{Instrument: b.instrument, ReviewBy: t}, err
}

// caseOfSite finds the case that is open on a site, or takes a case's own id.
func caseOfSite(cmd *cobra.Command, a *app.App, view access.View, id string) (atalaya.CaseID, error) {
	if strings.HasPrefix(id, "case_") {
		return atalaya.CaseID(id), nil
	}
	c, _, found, err := a.CaseOf(cmd.Context(), view, atalaya.CandidateID(id))
	if err == nil && !found {
		err = &atalaya.Error{Op: "case", Kind: atalaya.Refused, Err: fmt.Errorf("no case is open on %s", id), Hint: "Open one: `atalaya review open " + id + " --legal-basis ... --review-by ...`, then two people approve it"}
	}
	return c.ID, err
}

func recorded(w io.Writer, done app.Written) {
	said := "recorded as"
	if done.Before {
		said = "nothing new: recorded before as"
	}
	fmt.Fprintf(w, "%s event %s\n", said, done.Event.ID)
}

func reviewCommand() *cobra.Command {
	c := &cobra.Command{Use: "review", Short: "The human decision: open a case, then approve, hold or dismiss it"}
	var b basisFlags
	open := &cobra.Command{
		Use:   "open SITE",
		Short: "Open a case on a candidate site, pinned as it stands",
		Example: `  atalaya review open site_2f0c... --legal-basis "Bilateral agreement 7 (SYNTHETIC)" --review-by 2027-03-01
  atalaya review open site_2f0c... --legal-basis "Order 12 (SYNTHETIC)" --review-by 2026-12-31 --token "$ANA"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			basis, err := b.read()
			if err != nil {
				return err
			}
			a, who, view, closeIt, err := acting(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			cs, done, err := a.OpenCase(cmd.Context(), who, view, atalaya.CandidateID(args[0]), basis)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), cs.ID)
			recorded(cmd.ErrOrStderr(), done)
			return nil
		},
	}
	b.add(open)
	c.AddCommand(open)
	for _, d := range []atalaya.Decision{atalaya.Approve, atalaya.Hold, atalaya.Dismiss} {
		c.AddCommand(decisionCommand(d))
	}
	c.AddCommand(&cobra.Command{
		Use:   "looked-at SITE",
		Short: "Say that you have looked at what the case rests on now; reviews of the old basis no longer count",
		Example: `  atalaya site site_2f0c...
  atalaya review looked-at site_2f0c...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return onCase(cmd, args[0], func(a *app.App, who app.Account, view access.View, id atalaya.CaseID) (app.Written, error) {
				f, err := a.File(cmd.Context(), view, id)
				if err != nil {
					return app.Written{}, err
				}
				return a.LookedAt(cmd.Context(), who, view, id, f.Current)
			})
		},
	})
	return c
}

// onCase runs one decision on the case of a site.
func onCase(cmd *cobra.Command, id string, do func(*app.App, app.Account, access.View, atalaya.CaseID) (app.Written, error)) error {
	a, who, view, closeIt, err := acting(cmd)
	if err != nil {
		return err
	}
	defer closeIt()
	cs, err := caseOfSite(cmd, a, view, id)
	if err != nil {
		return err
	}
	done, err := do(a, who, view, cs)
	if err != nil {
		return err
	}
	recorded(cmd.ErrOrStderr(), done)
	return nil
}

func decisionCommand(d atalaya.Decision) *cobra.Command {
	said := map[atalaya.Decision][2]string{ // what it does, and a reason as an example
		atalaya.Approve: {"Approve the case on a site: two different people must, before it can be released", "two legs agree"},
		atalaya.Hold:    {"Hold the case on a site, with the reason", "the second flight is not in yet"},
		atalaya.Dismiss: {"Dismiss the case on a site, with the reason", "a paint shop stands there"},
	}[d]
	var why string
	c := &cobra.Command{
		Use:     string(d) + " SITE",
		Short:   said[0],
		Example: fmt.Sprintf("  atalaya site site_2f0c...\n  atalaya review %s site_2f0c... --why %q", d, said[1]),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return onCase(cmd, args[0], func(a *app.App, who app.Account, view access.View, id atalaya.CaseID) (app.Written, error) {
				f, err := a.File(cmd.Context(), view, id)
				if err != nil {
					return app.Written{}, err
				}
				_, done, err := a.Review(cmd.Context(), who, view, id, d, why, f.Case.Basis)
				return done, err
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, in a sentence")
	return c
}

func releaseCommand() *cobra.Command {
	var to, out string
	var asJSON bool
	var b basisFlags
	c := &cobra.Command{
		Use:   "release SITE --to MEX --out DIR",
		Short: "Release a case that two different people approved: the partner package, written whole or not at all",
		Long:  "Release a case that two different people approved. The package (GeoJSON, KML, a page in Spanish and English, a manifest) goes into a folder of its own below DIR. Without two approvals of what stands now: exit 4, also where the same case has gone to the same partner before. Asked for again, with nothing changed, it gives the same release and writes no second event.",
		Example: `  atalaya release site_2f0c... --to MEX --out handover
  atalaya release site_2f0c... --to MEX --out handover --legal-basis "Agreement 7 (SYNTHETIC)" --review-by 2027-03-01`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" || out == "" {
				return misuse{errors.New("a release needs --to and --out. See `atalaya release --help`")}
			}
			basis, err := b.read()
			if err != nil {
				return err
			}
			a, who, view, closeIt, err := acting(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			id, err := caseOfSite(cmd, a, view, args[0])
			if err != nil {
				return err
			}
			rel, done, err := a.Release(cmd.Context(), who, view, id, to, basis)
			if err != nil {
				return err
			}
			dir, err := a.Export(cmd.Context(), who, view, rel.ID, out)
			if err != nil {
				return err
			}
			recorded(cmd.ErrOrStderr(), done)
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]any{"schema": "atalaya.release/1", "release": rel.ID, "reference": rel.Reference, "recipient": rel.Recipient,
					"folder": dir, "manifest_sha256": rel.ManifestSHA256, "marking": rel.Marking, "event": done.Event.ID, "before": done.Before})
			}
			fmt.Fprintln(cmd.OutOrStdout(), dir)
			return nil
		},
	}
	c.Flags().StringVar(&to, "to", "", "the recipient: a country's three letters, as MEX")
	c.Flags().StringVar(&out, "out", "", "the folder to write the package below")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document, atalaya.release/1")
	b.add(c)
	return c
}

func outcomeCommand() *cobra.Command {
	c := &cobra.Command{Use: "outcome", Short: "What came back from a partner"}
	var r outcome.Report
	var found, on, seized string
	add := &cobra.Command{
		Use:   "add SITE",
		Short: "Record what was found at a released place, or that nobody went",
		Example: `  atalaya outcome add site_2f0c... --found confirmed --on 2026-04-02 --by "partner service" --note "SYNTHETIC"
  atalaya outcome add site_2f0c... --found not-visited --on 2026-04-02 --by "partner service"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := day("on", on)
			if err != nil {
				return err
			}
			r.Found, r.On = atalaya.Finding(found), t
			if seized != "" {
				r.Seizure = new(outcome.Seizure)
				if err := json.Unmarshal([]byte(seized), r.Seizure); err != nil {
					return misuse{fmt.Errorf("--seizure: %w. Write it as {\"substance\":\"...\",\"amount\":1,\"unit\":\"kg\",\"mass_kg\":1}", err)}
				}
			}
			return onCase(cmd, args[0], func(a *app.App, who app.Account, view access.View, id atalaya.CaseID) (app.Written, error) {
				r.Case = id
				got, done, err := a.AddOutcome(cmd.Context(), who, view, r)
				if err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), got.ID)
				}
				return done, err
			})
		},
	}
	f := add.Flags()
	f.StringVar(&found, "found", "", "confirmed, empty, abandoned, not-visited or unsafe")
	f.StringVar(&on, "on", "", "the day on which it was found out")
	f.StringVar(&r.By, "by", "", "the service that reported it, not a person")
	f.StringVar(&r.Note, "note", "", "a note")
	f.StringVar((*string)(&r.Replaces), "replaces", "", "the outcome that this one corrects")
	f.StringVar(&seized, "seizure", "", "what was seized, as JSON")
	c.AddCommand(add, outcomeSeizures(), outcomePrecision())
	return c
}

func retractCommand() *cobra.Command {
	var why string
	var undo bool
	c := &cobra.Command{
		Use:   "retract OBSERVATION --why REASON",
		Short: "Take an observation back: everything is computed again as if it had never been",
		Example: `  atalaya retract obs_91be... --why "wrong clock"
  atalaya retract obs_91be... --undo`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, who, view, closeIt, err := acting(cmd)
			if err != nil {
				return err
			}
			defer closeIt()
			id := atalaya.ObservationID(args[0])
			var done app.Written
			if undo {
				done, err = a.Unretract(cmd.Context(), who, view, id)
			} else {
				done, err = a.Retract(cmd.Context(), who, view, id, why)
			}
			if err != nil {
				return err
			}
			recorded(cmd.ErrOrStderr(), done)
			return a.Drain(cmd.Context())
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, in a sentence")
	c.Flags().BoolVar(&undo, "undo", false, "undo the retraction")
	return c
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

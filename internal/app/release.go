package app

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/export/gpkg"
	"github.com/atalaya-isr/atalaya/product"
	"github.com/atalaya-isr/atalaya/product/cot"
	"github.com/atalaya-isr/atalaya/review"
	"github.com/atalaya-isr/atalaya/store"
	"github.com/atalaya-isr/atalaya/store/blob"
)

// Release is what left: the record of the decision, and the package as one blob.
type Release struct {
	ID             atalaya.ReleaseID `json:"id"`
	Case           atalaya.CaseID    `json:"case"`
	Recipient      string            `json:"recipient"`
	At             time.Time         `json:"at"`
	By             atalaya.AccountID `json:"by"`
	Marking        string            `json:"marking"`
	Reference      string            `json:"reference"` // as the recipient knows it
	ManifestSHA256 string            `json:"manifest_sha256"`
	Package        atalaya.BlobID    `json:"package"`  // the zip
	Decision       json.RawMessage   `json:"decision"` // review.Record, to be judged again by review.Replay
}

// recordOf gathers all that a release of a case would rest on.
func (a *App) recordOf(ctx context.Context, f CaseFile, by Account, recipient string, basis atalaya.LegalBasis) (review.Record, error) {
	id, err := personal("rel_")
	if err != nil {
		return review.Record{}, err
	}
	marking, err := review.MarkingOf(f.Case.Snapshot)
	if err != nil {
		return review.Record{}, err
	}
	rec := review.Record{ID: atalaya.ReleaseID(id), Case: f.Case, Current: f.Current, Reviews: f.Reviews, By: by.ID, At: a.Clock().UTC(),
		Recipient: recipient, Marking: marking, LegalBasis: basis}
	seen, flown := map[atalaya.ObservationID]bool{}, map[string]bool{}
	for _, row := range f.Case.Snapshot.Ledger {
		if row.Observation == "" || seen[row.Observation] {
			continue
		}
		seen[row.Observation] = true
		o, _, err := get[atalaya.Observation](ctx, a, access.Whole(), "observation", string(row.Observation))
		if err != nil {
			return rec, err
		}
		key := sortieKey(o.Mission, o.Sortie) // two missions may each have a sortie 1
		src := review.Source{Observation: o.ID, Kind: o.Kind}
		if o.Sortie != "" {
			src.Sortie = atalaya.SortieID(key)
		}
		rec.Sources = append(rec.Sources, src)
		if o.Sortie == "" || flown[key] {
			continue
		}
		flown[key] = true
		s, _, err := get[atalaya.Sortie](ctx, a, access.Whole(), "sortie", key)
		if isNotFound(err) {
			continue // review names it as missing
		}
		if err != nil {
			return rec, err
		}
		s.ID = src.Sortie
		rec.Sorties = append(rec.Sorties, s)
	}
	return rec, nil
}

// Release lets a reviewed case go to one recipient: it builds the package, keeps it as a blob, then logs the release.
// Refused without two different people's approvals of what stands now.
//
// Where the case as it stands has gone to this recipient before, on this legal basis, that release is the answer and nothing is
// written: one that was logged and not yet exported is finished by asking again. A basis that is not stated is that of the case,
// or of the release before.
func (a *App) Release(ctx context.Context, by Account, view access.View, id atalaya.CaseID, recipient string, basis atalaya.LegalBasis) (Release, Written, error) {
	f, err := a.File(ctx, view, id)
	if err != nil {
		return Release{}, Written{}, err
	}
	recipient, basis.Instrument = strings.ToUpper(recipient), strings.TrimSpace(basis.Instrument)
	if rel, found := f.Released(recipient, basis); found {
		if err := a.stillReleased(ctx, f, by); err != nil {
			return Release{}, Written{}, err
		}
		return a.releasedBefore(ctx, view, rel.ID)
	}
	if basis.Instrument == "" {
		basis = f.Case.LegalBasis
	}
	return a.releaseOf(ctx, by, view, f, recipient, basis)
}

// releaseOf releases a case as it was read.
func (a *App) releaseOf(ctx context.Context, by Account, view access.View, f CaseFile, recipient string, basis atalaya.LegalBasis) (Release, Written, error) {
	rec, err := a.recordOf(ctx, f, by, recipient, basis)
	if err != nil {
		return Release{}, Written{}, err
	}
	if !by.Decides() {
		return Release{}, Written{}, failure(atalaya.Refused, "Ask an analyst or a reviewer", "%s may look, not release", by.Name)
	}
	released, err := review.Decide(rec)
	if err != nil {
		return Release{}, Written{}, a.inWords(ctx, f, err)
	}
	pkg, err := a.build(ctx, released, rec)
	if err != nil {
		return Release{}, Written{}, err
	}
	zipped, err := zipOf(pkg)
	if err != nil {
		return Release{}, Written{}, err
	}
	kept, _, err := a.Record.Blobs().Put(bytes.NewReader(zipped))
	if err != nil {
		return Release{}, Written{}, err
	}
	rel := Release{ID: rec.ID, Case: f.Case.ID, Recipient: rec.Recipient, At: rec.At, By: by.ID, Marking: rec.Marking, Reference: pkg.Reference,
		ManifestSHA256: pkg.ManifestSHA256, Package: kept, Decision: mustJSON(rec)}
	// One release of what stands, also when two ask for it at the same moment: the second is answered with the first.
	w, err := a.write(ctx, by, store.NewEvent{Kind: store.ReleaseMade, Subject: string(rel.ID), Marking: rel.Marking, Body: mustJSON(rel), Key: releaseKey(rec)})
	if err == nil && w.Event.Subject != string(rel.ID) {
		return a.releasedBefore(ctx, view, atalaya.ReleaseID(w.Event.Subject))
	}
	return rel, w, err
}

// releaseKey names what a release lets go: the case as it stands, the recipient and the legal basis. Who asks and when are not
// in it.
func releaseKey(rec review.Record) string {
	return strings.Join([]string{"release", string(rec.Case.ID), rec.Case.Basis, rec.Recipient,
		rec.LegalBasis.ReviewBy.UTC().Format(time.RFC3339Nano), rec.LegalBasis.Instrument}, "/")
}

// releasedBefore gives a release that stands in the record, with its event.
func (a *App) releasedBefore(ctx context.Context, view access.View, id atalaya.ReleaseID) (Release, Written, error) {
	rel, _, err := get[Release](ctx, a, view, "release", string(id))
	if err != nil {
		return Release{}, Written{}, err
	}
	history, err := a.Record.Events(ctx, view, string(id))
	if err != nil {
		return Release{}, Written{}, err
	}
	i := slices.IndexFunc(history, func(e store.Event) bool { return e.Kind == store.ReleaseMade })
	if i < 0 {
		return Release{}, Written{}, failure(atalaya.NotFound, "Check what your account may see", "release %s has no event that you may see", shortName(string(id)))
	}
	return rel, Written{Event: history[i], Before: true}, nil
}

// build makes the package with the key under which this recipient's names are made.
func (a *App) build(ctx context.Context, released review.Released, rec review.Record) (product.Package, error) {
	key, err := a.partnerKey(ctx, rec.Recipient)
	if err != nil {
		return product.Package{}, err
	}
	return product.Build(released, product.Options{Key: key, Made: rec.At}, gpkg.Form(), product.Form{Name: cot.FileName, MediaType: cot.MediaType, From: cot.Lead})
}

// partnerKey is the secret that names are re-keyed with for one partner; made at the first release to that partner.
func (a *App) partnerKey(ctx context.Context, recipient string) ([]byte, error) {
	name := "partner/" + recipient
	key, err := a.Record.Secret(ctx, name)
	if err == nil && len(key) > 0 {
		return key, nil
	}
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	key = make([]byte, 32)
	rand.Read(key) // never fails: it ends the program when the system has no randomness
	return key, a.Record.SetSecret(ctx, name, key)
}

// stillReleased refuses to hand over again what two people would have to look at anew: a review stands on what was seen. What
// left before stays readable in the record.
func (a *App) stillReleased(ctx context.Context, f CaseFile, by Account) error {
	if !by.Decides() {
		return failure(atalaya.Refused, "Ask an analyst or a reviewer", "%s may look, not release", by.Name)
	}
	if f.Standing.State == review.Approved {
		return nil
	}
	return a.inWords(ctx, f, &atalaya.Error{Op: "release", Place: "case " + string(f.Case.ID), Kind: atalaya.Refused,
		Err: errors.New("not released: " + f.Standing.Missing), Hint: "Settle what is named, then release again"})
}

// inWords puts the names by which people speak of a case and of each other where a refusal holds their ids, and says how to
// look at evidence that has changed.
func (a *App) inWords(ctx context.Context, f CaseFile, err error) error {
	var e *atalaya.Error
	if !errors.As(err, &e) || e.Kind == atalaya.Failed {
		return err
	}
	names, failed := a.Names(ctx)
	if failed != nil {
		return failed
	}
	said := *e
	said.Err = errors.New(calledBy(names).Replace(e.Err.Error()))
	said.Place = strings.ReplaceAll(e.Place, string(f.Case.ID), shortName(string(f.Case.ID)))
	switch {
	case f.Standing.State != review.BasisChanged:
	case f.Now == nil:
		said.Hint = "Dismiss the case, or hold it for new evidence; what was released before stays in the record"
	default:
		said.Hint = "Open the site, look at what stands now, say so (`atalaya review looked-at`), and let two people review it anew"
	}
	return &said
}

// shortName is the name by which people speak of an id: the first four hex digits of a hash, the last four of a UUID, whose
// first ones are the time. The workbench shows the same.
func shortName(id string) string {
	_, rest, _ := strings.Cut(id, "_")
	switch {
	case len(rest) < 4:
		return id
	case strings.Contains(rest, "-"):
		return rest[len(rest)-4:]
	}
	return rest[:4]
}

// Export writes a released package into a folder, whole or not at all: the files go into a folder beside it, which is then
// renamed. Doing it again gives the same bytes, as long as the case still stands as it was released.
func (a *App) Export(ctx context.Context, by Account, view access.View, id atalaya.ReleaseID, out string) (dir string, err error) {
	rel, e, err := get[Release](ctx, a, view, "release", string(id))
	if err != nil {
		return "", err
	}
	f, err := a.File(ctx, view, rel.Case)
	if err != nil {
		return "", err
	}
	if err := a.stillReleased(ctx, f, by); err != nil {
		return "", err
	}
	var rec review.Record
	if err := json.Unmarshal(rel.Decision, &rec); err != nil {
		return "", err
	}
	released, err := review.Replay(rec)
	if err != nil {
		return "", err
	}
	pkg, err := a.build(ctx, released, rec)
	if err != nil {
		return "", err
	}
	if pkg.ManifestSHA256 != rel.ManifestSHA256 {
		return "", failure(atalaya.Failed, "Export it from the version that released it, or take the package of the workbench",
			"this version would not write the bytes that were released")
	}
	dir = filepath.Join(out, rel.Reference)
	written, err := writeWhole(dir, pkg)
	if err != nil {
		return "", err
	}
	if !written { // by an earlier export, which may have been cut off before it was logged
		history, err := a.Record.Events(ctx, view, string(id))
		if err != nil || slices.ContainsFunc(history, func(e store.Event) bool { return e.Kind == store.ReleaseExported }) {
			return dir, err
		}
	}
	_, err = a.write(ctx, by, store.NewEvent{Kind: store.ReleaseExported, Subject: string(id), Marking: e.Marking, Body: mustJSON(map[string]string{"manifest_sha256": rel.ManifestSHA256})})
	return dir, err
}

// writeWhole puts a package in place by one rename; false where it stands there already.
//
// Once it stands there, it takes away what exports of it that were cut off have left beside it. One that still runs loses
// nothing: its rename would fail, for the folder is there and not empty.
func writeWhole(dir string, pkg product.Package) (written bool, err error) {
	there, err := holds(dir, pkg)
	if err != nil {
		return false, err
	}
	if !there {
		if err := writeAside(dir, pkg); err != nil {
			if there, _ = holds(dir, pkg); !there { // no other export was faster
				return false, err
			}
		}
	}
	beside, err := os.ReadDir(filepath.Dir(dir))
	for _, e := range beside {
		if strings.HasPrefix(e.Name(), partial(pkg)) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(filepath.Dir(dir), e.Name())))
		}
	}
	return !there, err
}

// partial begins the names of the folders in which a package is written before it is put in place: hidden, so that none
// is taken for a package.
func partial(pkg product.Package) string { return ".partial-" + pkg.Reference + "-" }

// writeAside writes the files into a folder of their own and renames that.
func writeAside(dir string, pkg product.Package) error {
	out := filepath.Dir(dir)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(out, partial(pkg))
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, f := range pkg.Files {
		if err := writeSynced(filepath.Join(tmp, f.Name), f.Bytes); err != nil {
			return err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := blob.SyncDir(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return &atalaya.Error{Op: "release.export", File: dir, Kind: atalaya.Failed, Err: err, Hint: "Name an empty folder with --out"}
	}
	return blob.SyncDir(out)
}

// holds reports whether a folder has exactly these files; a folder with others is refused, one that is missing is not one.
func holds(dir string, pkg product.Package) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if len(entries) == len(pkg.Files) {
		same := true
		for _, f := range pkg.Files {
			b, err := os.ReadFile(filepath.Join(dir, f.Name))
			same = same && err == nil && bytes.Equal(b, f.Bytes)
		}
		if same {
			return true, nil
		}
	}
	return false, &atalaya.Error{Op: "release.export", File: dir, Kind: atalaya.Failed, Err: errors.New("the folder exists and holds something else"), Hint: "Name another folder with --out"}
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// zipOf packs the files in their order with fixed times, so that the same package is the same bytes.
func zipOf(pkg product.Package) ([]byte, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range pkg.Files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Bytes); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// PackageZip opens the package of a release as it was released.
func (a *App) PackageZip(ctx context.Context, view access.View, id atalaya.ReleaseID) (io.ReadSeekCloser, string, error) {
	rel, _, err := get[Release](ctx, a, view, "release", string(id))
	if err != nil {
		return nil, "", err
	}
	b, err := a.Record.Blobs().Open(rel.Package)
	if err != nil {
		return nil, "", err
	}
	return b, fmt.Sprintf("%s-%s.zip", rel.Reference, strings.ToLower(rel.Recipient)), nil
}

// Released finds the last release of the case, as it stands, to a recipient, on a legal basis; on any where none is stated.
func (f CaseFile) Released(recipient string, basis atalaya.LegalBasis) (Release, bool) {
	for _, r := range slices.Backward(f.Releases) {
		var rec review.Record
		if r.Recipient != recipient || json.Unmarshal(r.Decision, &rec) != nil || rec.Case.Basis != f.Case.Basis {
			continue
		}
		if same := rec.LegalBasis.Instrument == basis.Instrument && rec.LegalBasis.ReviewBy.Equal(basis.ReviewBy); same || basis.Instrument == "" {
			return r, true
		}
	}
	return Release{}, false
}

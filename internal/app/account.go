package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/argon2"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/access"
	"github.com/atalaya-isr/atalaya/store"
)

// Account is a person who may sign in. Passwords and tokens are secrets beside the log, never in it.
type Account struct {
	ID   atalaya.AccountID `json:"id"`
	Name string            `json:"name"`
	Role string            `json:"role"`
}

// Roles lists what an account may be. Finer policy comes with part 5; today each role may see and do all that the two-person
// rule allows, save that an observer decides nothing.
var Roles = [...]string{"analyst", "reviewer", "observer"}

// Decides reports whether the account may write decisions.
func (c Account) Decides() bool { return c.Role != "observer" }

// accountMarking is the label of account events: who works here is for those who work here.
const accountMarking = "U"

var nameForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,62}$`)

// AddAccount makes an account and gives its token for the command line. An empty password means that only the token works.
func (a *App) AddAccount(ctx context.Context, by atalaya.AccountID, name, role, password string) (Account, string, error) {
	name = strings.TrimSpace(name)
	if !nameForm.MatchString(name) {
		return Account{}, "", failure(atalaya.BadUse, "Use letters, digits, spaces, dots and dashes, at most 63", "%q is no account name", name)
	}
	if !slices.Contains(Roles[:], role) {
		return Account{}, "", failure(atalaya.BadUse, "Choose one of "+strings.Join(Roles[:], ", "), "%q is no role", role)
	}
	if password != "" && len(password) < 8 {
		return Account{}, "", failure(atalaya.BadUse, "Choose at least 8 characters", "the password is too short")
	}
	old, err := a.Accounts(ctx)
	if err != nil {
		return Account{}, "", err
	}
	if slices.ContainsFunc(old, func(c Account) bool { return strings.EqualFold(c.Name, name) }) {
		return Account{}, "", failure(atalaya.Conflict, "Choose another name", "an account named %s exists", name)
	}
	u, err := uuid.NewV7()
	if err != nil {
		return Account{}, "", err
	}
	c := Account{ID: atalaya.AccountID("acct_" + u.String()), Name: name, Role: role}
	// The secrets go first: an account whose event is missing is nobody, one whose secret is missing could not sign in.
	token := randomText(32)
	if err := a.Record.SetSecret(ctx, tokenKey(token), []byte(c.ID)); err != nil {
		return Account{}, "", err
	}
	if password != "" {
		if err := a.Record.SetSecret(ctx, "password/"+string(c.ID), hashPassword(password)); err != nil {
			return Account{}, "", err
		}
	}
	if by == "" {
		by = c.ID
	}
	_, err = a.Record.Append(ctx, store.NewEvent{Time: a.Clock(), Actor: by, Kind: store.AccountMade, Subject: string(c.ID), Marking: accountMarking, Body: mustJSON(c)})
	return c, token, err
}

// Accounts lists all accounts in the order in which they were made.
func (a *App) Accounts(ctx context.Context) ([]Account, error) {
	es, err := a.all(ctx, access.Whole(), store.Query{Kind: "account"})
	if err != nil {
		return nil, err
	}
	return nouns[Account](es)
}

// SignIn finds the account of a name and password. It takes as long for a name that does not exist.
func (a *App) SignIn(ctx context.Context, name, password string) (Account, error) {
	accounts, err := a.Accounts(ctx)
	if err != nil {
		return Account{}, err
	}
	i := slices.IndexFunc(accounts, func(c Account) bool { return strings.EqualFold(c.Name, strings.TrimSpace(name)) })
	hash := []byte(emptyHash)
	if i >= 0 {
		if h, err := a.Record.Secret(ctx, "password/"+string(accounts[i].ID)); err == nil && len(h) > 0 {
			hash = h
		}
	}
	if !checkPassword(hash, password) || i < 0 {
		return Account{}, failure(atalaya.BadLogin, "Check both, or ask for an account", "name or password is not right")
	}
	return accounts[i], nil
}

// NewSession gives a session key for an account, good until the given time.
func (a *App) NewSession(ctx context.Context, id atalaya.AccountID, until time.Time) (string, error) {
	key := randomText(32)
	return key, a.Record.SetSecret(ctx, sessionKey(key), mustJSON(session{id, until}))
}

// EndSession forgets a session.
func (a *App) EndSession(ctx context.Context, key string) error {
	return a.Record.SetSecret(ctx, sessionKey(key), nil)
}

type session struct {
	Account atalaya.AccountID `json:"account"`
	Until   time.Time         `json:"until"`
}

// BySession finds who a session belongs to.
func (a *App) BySession(ctx context.Context, key string) (Account, error) {
	b, err := a.Record.Secret(ctx, sessionKey(key))
	var s session
	if err != nil || len(b) == 0 || json.Unmarshal(b, &s) != nil || a.Clock().After(s.Until) {
		return Account{}, failure(atalaya.BadLogin, "Sign in", "nobody is signed in")
	}
	return a.account(ctx, s.Account)
}

// ByToken finds who a command-line token belongs to.
func (a *App) ByToken(ctx context.Context, token string) (Account, error) {
	if token == "" {
		return Account{}, failure(atalaya.BadLogin, "Give --token or set ATALAYA_TOKEN; `atalaya account add` makes one", "nobody is named who does this")
	}
	id, err := a.Record.Secret(ctx, tokenKey(token))
	if err != nil || len(id) == 0 {
		return Account{}, failure(atalaya.BadLogin, "Check --token; `atalaya account add` makes one", "no account has this token")
	}
	return a.account(ctx, atalaya.AccountID(id))
}

func (a *App) account(ctx context.Context, id atalaya.AccountID) (Account, error) {
	c, _, err := get[Account](ctx, a, access.Whole(), "account", string(id))
	return c, err
}

// View is what an account may see. Until policy files come with part 5, every account sees every label.
func (a *App) View(ctx context.Context, _ Account) (access.View, error) {
	labels, err := a.Record.Labels(ctx)
	if err != nil {
		return access.View{}, err
	}
	ids := make([]access.LabelID, 0, len(labels))
	for id := range labels {
		ids = append(ids, id)
	}
	return access.Of(ids...), nil
}

// Secrets are stored under a hash, so that who reads the table cannot act as anyone.
func tokenKey(token string) string { return "token/" + digest(token) }
func sessionKey(key string) string { return "session/" + digest(key) }
func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: it ends the program when the system has no randomness
	return base64.RawURLEncoding.EncodeToString(b)
}

// Argon2id with 19 MiB, two passes, one lane: the first of the parameter sets that OWASP's password storage guide gives.
const (
	argonTime, argonKiB, argonLanes, argonLength = 2, 19 * 1024, 1, 32
)

// emptyHash is compared where there is no account or password; no password matches it.
const emptyHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func hashPassword(password string) []byte {
	salt := make([]byte, 16)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonTime, argonKiB, argonLanes, argonLength)
	e := base64.RawStdEncoding
	return fmt.Appendf(nil, "$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", argonKiB, argonTime, argonLanes, e.EncodeToString(salt), e.EncodeToString(key))
}

func checkPassword(hash []byte, password string) bool {
	var m, t uint32
	var p uint8
	parts := strings.Split(string(hash), "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v=19" {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &p); err != nil {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, t, m, p, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sessionFor is how long a session is good: a working day with its evening.
const sessionFor = 12 * time.Hour

// cookieName tells the records of one machine apart: cookies know no ports.
func cookieName(auditKey string) string {
	h := sha256.Sum256([]byte(auditKey))
	return "atalaya_" + hex.EncodeToString(h[:4])
}

func (s *server) sessionCookie(value string, maxAge time.Duration) http.Cookie {
	c := http.Cookie{Name: s.cookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(maxAge / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// signIn gives a session key for a name and password. Passwords are tested a few at once, because each test takes memory and
// time, and a name that was often wrong must wait.
func (s *server) signIn(ctx context.Context, name, password string) (string, error) {
	if wait := s.logins.take(name); wait > 0 {
		p := problem(http.StatusTooManyRequests, "too many wrong passwords for this name. Wait "+wait.Round(time.Second).String()+" and try again")
		return "", p
	}
	leave, err := take(ctx, s.hashing)
	if err != nil {
		return "", err
	}
	who, err := s.app.SignIn(ctx, name, password)
	leave()
	if err != nil {
		return "", err
	}
	s.logins.forgive(name)
	return s.app.NewSession(ctx, who.ID, s.app.Clock().Add(sessionFor))
}

// limiter lets each name try tries times at once and then once in every pause. It knows at most mostNames names: when there
// are more, those that have waited longest are forgotten.
type limiter struct {
	clock func() time.Time
	mu    sync.Mutex
	names map[string]allowance
}

type allowance struct {
	left float64
	at   time.Time
}

const (
	tries     = 8
	pause     = 15 * time.Second
	mostNames = 4096
)

func newLimiter(clock func() time.Time) *limiter {
	return &limiter{clock: clock, names: map[string]allowance{}}
}

func nameKey(name string) string {
	h := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(name))))
	return string(h[:16])
}

// take uses one try up, or says how long to wait for the next.
func (l *limiter) take(name string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, now := nameKey(name), l.clock()
	a, ok := l.names[key]
	if !ok {
		l.shed(now)
		a = allowance{tries, now}
	}
	a.left = math.Min(tries, a.left+float64(now.Sub(a.at))/float64(pause))
	a.at = now
	if a.left < 1 {
		wait = time.Duration((1 - a.left) * float64(pause))
	} else {
		a.left--
	}
	l.names[key] = a
	return wait
}

func (l *limiter) forgive(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.names, nameKey(name))
}

// shed makes room: first the names whose tries have come back, then, against a flood of names, the longest waiting.
func (l *limiter) shed(now time.Time) {
	if len(l.names) < mostNames {
		return
	}
	oldest, at := "", now
	for name, a := range l.names {
		if now.Sub(a.at) >= tries*pause {
			delete(l.names, name)
		} else if oldest == "" || a.at.Before(at) {
			oldest, at = name, a.at
		}
	}
	if len(l.names) >= mostNames {
		delete(l.names, oldest)
	}
}

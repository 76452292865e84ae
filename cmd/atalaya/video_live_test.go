package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// A listener is a video command that takes datagrams: where it listens, and its lines as they come.
type listener struct {
	to    net.Conn
	lines *bufio.Scanner
	talk  chan string // all that it said, when it has ended
	ended chan error
}

func listening(t *testing.T, ctx context.Context, args ...string) *listener {
	t.Helper()
	outR, outW := io.Pipe()
	talkR, talkW := io.Pipe()
	l := &listener{lines: bufio.NewScanner(outR), talk: make(chan string, 1), ended: make(chan error, 1)}
	l.lines.Buffer(nil, 1<<20)
	c := videoCommand()
	c.SetArgs(args)
	c.SetOut(outW)
	c.SetErr(talkW)
	c.SilenceErrors, c.SilenceUsage = true, true
	go func() {
		err := c.ExecuteContext(ctx)
		outW.Close()
		talkW.Close()
		l.ended <- err
	}()
	said := bufio.NewReader(talkR)
	first, err := said.ReadString('\n')
	where, ok := strings.CutSuffix(strings.TrimPrefix(first, "udp "), ": listening\n")
	if err != nil || !ok {
		t.Fatalf("it says %q and not where it listens (%v)", first, err)
	}
	go func() {
		rest, _ := io.ReadAll(said)
		l.talk <- string(rest)
	}()
	if l.to, err = net.Dial("udp", where); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.to.Close() })
	return l
}

// send sends transport packets, seven a datagram, in RTP from a sequence number on where that is not negative, without the
// datagrams named.
func (l *listener) send(t *testing.T, file []byte, sequence int, without ...int) (n int) {
	t.Helper()
	for len(file) > 0 {
		part := file[:min(7*188, len(file))]
		file = file[len(part):]
		b := part
		if sequence >= 0 {
			head := [12]byte{0x80, 33}
			binary.BigEndian.PutUint16(head[2:], uint16(sequence+n))
			b = append(head[:], part...)
		}
		lost := false
		for _, w := range without {
			lost = lost || w == n
		}
		if n++; lost {
			continue
		}
		if _, err := l.to.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (l *listener) line(t *testing.T) map[string]any {
	t.Helper()
	var line map[string]any
	if !l.lines.Scan() {
		t.Fatalf("no line: %v, %v", l.lines.Err(), <-l.ended)
	}
	if err := json.Unmarshal(l.lines.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

// Lines come while the stream goes on, and an interrupt is a good end.
func TestLiveMetadataComesLineByLine(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, sub := range []string{"klv", "georef"} {
		ctx, interrupt := context.WithCancel(t.Context())
		l := listening(t, ctx, sub, "--udp", "127.0.0.1:0")
		file := hovering(t, 20)
		half := len(file) / 2 / (7 * 188) * (7 * 188)
		n := l.send(t, file[:half], -1)
		if line := l.line(t); line["time"] != "2026-05-04T12:00:00Z" || line["pts_s"] != 1.0 {
			t.Errorf("%s: the first line while the stream goes on: %v", sub, line)
		}
		n += l.send(t, file[half:], -1)
		for range 18 { // the last may wait for the beginning of what follows
			l.line(t)
		}
		interrupt()
		for l.lines.Scan() { // what was under way
		}
		if err := <-l.ended; err != nil {
			t.Errorf("%s: an interrupt ends it with %v", sub, err)
		}
		if talk := <-l.talk; !strings.Contains(talk, "0 missing, 0 dropped") || n != 0 && !strings.Contains(talk, " datagrams, ") {
			t.Errorf("%s: it says %q", sub, talk)
		}
	}
}

// Silence ends it, and what was lost is counted, named, and decides the exit code.
func TestLostDatagramsAreTold(t *testing.T) {
	l := listening(t, t.Context(), "klv", "--udp", "127.0.0.1:0", "--idle", "1")
	file := hovering(t, 40)
	l.send(t, file, 65534, 3, 4) // sequence numbers wrap
	lines := 0
	for l.lines.Scan() {
		lines++
	}
	err := <-l.ended
	if code := exitCode(err); err == nil || code != 3 {
		t.Errorf("it ends with %v", err)
	}
	if talk := <-l.talk; !strings.Contains(talk, "2 missing, 0 dropped") || !strings.Contains(talk, "RTP: 2 datagrams are missing") || !strings.Contains(talk, "continuity") {
		t.Errorf("it says %q", talk)
	}
	if lines < 25 || lines >= 40 {
		t.Errorf("%d lines of 40 packets", lines)
	}
}

func TestNothingThatComesIsAnErrorWithItsRemedy(t *testing.T) {
	l := listening(t, t.Context(), "klv", "--udp", "127.0.0.1:0", "--idle", "0.05")
	for l.lines.Scan() {
		t.Error("a line")
	}
	if err := <-l.ended; err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), "no datagram came") {
		t.Error(err)
	}
	<-l.talk
}

// Standard input is read as it comes too, transport stream or raw.
func TestVideoFromStandardInput(t *testing.T) {
	file := hovering(t, 5)
	run := func(in io.Reader, args ...string) (int, string, string) {
		var o, e bytes.Buffer
		c := videoCommand()
		c.SetArgs(args)
		c.SetIn(in)
		c.SetOut(&o)
		c.SetErr(&e)
		c.SilenceErrors, c.SilenceUsage = true, true
		if err := c.Execute(); err != nil {
			return exitCode(err), o.String(), e.String() + err.Error()
		}
		return 0, o.String(), e.String()
	}
	for _, sub := range []string{"klv", "georef"} {
		if code, out, talk := run(bytes.NewReader(file), sub, "-"); code != 0 || strings.Count(out, "\n") != 5 || talk != "" {
			t.Errorf("%s: exit %d, %d lines, %q", sub, code, strings.Count(out, "\n"), talk)
		}
		r, w := io.Pipe()
		go func() {
			_, _ = w.Write(file)
			// and then silence: the pipe stays open
		}()
		if code, out, talk := run(r, sub, "-", "--idle", "0.3"); code != 0 || strings.Count(out, "\n") != 5 {
			t.Errorf("%s of a pipe that falls silent: exit %d, %d lines, %q", sub, code, strings.Count(out, "\n"), talk)
		}
		w.Close()
		if code, _, talk := run(bytes.NewReader(nil), sub, "-"); code != 1 || !strings.Contains(talk, "standard input") {
			t.Errorf("%s of nothing: exit %d, %q", sub, code, talk)
		}
	}
	for _, args := range [][]string{{"klv"}, {"klv", "a.ts", "--udp", "5004"}, {"klv", "-", "--idle", "-1"}, {"klv", "--udp", "somewhere:5004"}, {"klv", "--udp", "127.0.0.1:99999"}} {
		if code, _, talk := run(bytes.NewReader(nil), args...); code != 2 || talk == "" {
			t.Errorf("%q: exit %d, %q", args, code, talk)
		}
	}
}

// Without an address only this machine is heard.
func TestAPortAloneIsLoopback(t *testing.T) {
	for _, where := range []string{"0", ":0", "localhost:0", "127.0.0.1:0"} {
		c, err := listen(where)
		if err != nil {
			t.Fatal(err)
		}
		if a := c.LocalAddr().(*net.UDPAddr); !a.IP.IsLoopback() {
			t.Errorf("%q listens at %v", where, a)
		}
		c.Close()
	}
	c, err := listen("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if a := c.LocalAddr().(*net.UDPAddr); a.IP.IsLoopback() {
		t.Errorf("an address that was given is not taken: %v", a)
	}
}

// An end by silence does not lose what came before it, and a source's own error is passed on.
func TestAPatientReaderEnds(t *testing.T) {
	broken := errors.New("broken")
	p := newPatient(t.Context(), io.MultiReader(strings.NewReader("SYNTHETIC"), errReader{broken}), 0)
	defer p.end()
	b, err := io.ReadAll(p)
	if string(b) != "SYNTHETIC" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", b, err)
	}
	began := time.Now()
	r, w := io.Pipe()
	defer w.Close()
	q := newPatient(t.Context(), r, 0.05)
	defer q.end()
	if b, err := io.ReadAll(q); err != nil || len(b) > 0 || time.Since(began) < 50*time.Millisecond {
		t.Errorf("%q, %v", b, err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atalaya-isr/atalaya"
	"github.com/atalaya-isr/atalaya/sense/mpegts"
	"github.com/atalaya-isr/atalaya/sense/video"
)

// videoLive are the flags of input that does not end by itself: standard input, or datagrams.
type videoLive struct {
	udp  string
	idle float64
}

func (l *videoLive) add(c *cobra.Command) {
	c.Flags().StringVar(&l.udp, "udp", "", "take a transport stream from UDP at ADDRESS:PORT, bare or in RTP, instead of a file; a PORT alone is on this machine only")
	c.Flags().Float64Var(&l.idle, "idle", 0, "with --udp or -: end when nothing came for so many seconds; 0 waits until interrupted")
	c.Args = cobra.MaximumNArgs(1)
}

// lines runs write over what the arguments name: a file, standard input for "-", or datagrams. Live input ends by itself, by --idle
// or by an interrupt, and none of these is an error.
func (l *videoLive) lines(cmd *cobra.Command, args []string, quiet bool, write func(io.Writer, io.Reader) (int, []video.Problem, error)) error {
	switch {
	case l.udp != "" && len(args) > 0:
		return misuse{errors.New("give a file or --udp, not both")}
	case l.udp == "" && len(args) == 0:
		return misuse{errors.New("name a file, - for standard input, or --udp ADDRESS:PORT")}
	case !(l.idle >= 0 && l.idle <= 86400):
		return misuse{fmt.Errorf("--idle %g. Give 0 to 86400 seconds", l.idle)}
	case l.udp != "":
		return l.datagrams(cmd, quiet, write)
	case args[0] != "-":
		return videoLines(cmd, args[0], quiet, write)
	}
	in := newPatient(cmd.Context(), cmd.InOrStdin(), l.idle)
	defer in.end()
	n, problems, err := write(cmd.OutOrStdout(), in)
	return linesEnd(cmd, "standard input", n, problems, err)
}

// feedBytes is how much of a feed is kept for a reader that falls behind: ten seconds at 6 Mb/s.
const feedBytes = 8 << 20

func (l *videoLive) datagrams(cmd *cobra.Command, quiet bool, write func(io.Writer, io.Reader) (int, []video.Problem, error)) error {
	conn, err := listen(l.udp)
	if err != nil {
		return err
	}
	defer conn.Close()
	name := "udp " + conn.LocalAddr().String()
	if !quiet {
		fmt.Fprintln(cmd.ErrOrStderr(), name+": listening")
	}
	until := newUntil(cmd.Context(), conn, l.idle)
	defer until.stop()
	feed := mpegts.NewFeed(context.WithoutCancel(cmd.Context()), until, feedBytes)
	n, problems, err := write(cmd.OutOrStdout(), feed)
	r := feed.Report()
	if r.Datagrams == 0 {
		return &atalaya.Error{Op: "video.read", File: name, Kind: atalaya.NotFound, Err: errors.New("no datagram came"), Hint: "Check the address and that something is sent to it"}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d datagrams, %d bytes of transport packets; %d missing, %d dropped because the reader fell behind, %d that are no transport packets\n",
		name, r.Datagrams, r.Bytes, r.Missing, r.Overrun, r.Foreign)
	for _, p := range r.Problems {
		problems = append(problems, video.Problem{At: p.At, What: p.What})
	}
	return linesEnd(cmd, name, n, problems, err)
}

// linesEnd tells what could not be read of an input, and how it ended.
func linesEnd(cmd *cobra.Command, name string, n int, problems []video.Problem, err error) error {
	for _, p := range problems {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: byte %d: %s\n", name, p.At, p.What)
	}
	var e *atalaya.Error
	if errors.As(err, &e) {
		e.File = name
		return e
	}
	if err == nil && len(problems) > 0 {
		return partly{fmt.Sprintf("%s: %d packets read, %d places could not be", name, n, len(problems))}
	}
	return err
}

// listen opens a socket for datagrams. Without an address it hears this machine alone; one of a multicast group joins it.
func listen(where string) (*net.UDPConn, error) {
	bad := func(err error) error {
		return &atalaya.Error{Op: "video.read", Kind: atalaya.BadUse, Err: fmt.Errorf("--udp %s: %w", where, err), Hint: "Give ADDRESS:PORT with an IP address, as 127.0.0.1:5004; only a PORT for this machine alone"}
	}
	host, port, err := net.SplitHostPort(where)
	if err != nil {
		host, port = "", where
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	at, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return nil, bad(errors.New(strings.TrimPrefix(err.Error(), "netip.")))
	}
	var conn *net.UDPConn
	if a := net.UDPAddrFromAddrPort(at); at.Addr().IsMulticast() {
		conn, err = net.ListenMulticastUDP("udp", nil, a)
	} else {
		conn, err = net.ListenUDP("udp", a)
	}
	if err != nil {
		return nil, bad(err)
	}
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows: what it refuses it tells by losing
	return conn, nil
}

// until is a socket that ends, with io.EOF, when its context does and when nothing came for as long as idle: what came before is
// still read.
type until struct {
	ctx  context.Context
	conn *net.UDPConn
	idle time.Duration // 0 waits for ever
	stop func() bool
}

func newUntil(ctx context.Context, conn *net.UDPConn, idleS float64) *until {
	u := &until{ctx: ctx, conn: conn, idle: time.Duration(idleS * float64(time.Second))}
	u.stop = context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	return u
}

func (u *until) Read(b []byte) (int, error) {
	if u.idle > 0 {
		if err := u.conn.SetReadDeadline(time.Now().Add(u.idle)); err != nil {
			return 0, err
		}
	}
	if u.ctx.Err() != nil { // asked after the deadline was set, which may have undone that of the interrupt
		return 0, io.EOF
	}
	n, err := u.conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// A patient reads a source that may stay silent. It ends, with io.EOF, when its context does, when the source does, and when nothing
// came for as long as idle.
type patient struct {
	ctx    context.Context
	stop   context.CancelFunc
	idle   time.Duration // 0 waits for ever
	pieces chan piece
	rest   []byte
	err    error // after rest
}

type piece struct {
	b   []byte
	err error
}

func newPatient(ctx context.Context, r io.Reader, idleS float64) *patient {
	p := &patient{idle: time.Duration(idleS * float64(time.Second)), pieces: make(chan piece)}
	p.ctx, p.stop = context.WithCancel(ctx)
	go p.receive(r)
	return p
}

// receive hands on what comes. It ends with its source or, when nobody listens any more, at the next piece that comes.
func (p *patient) receive(r io.Reader) {
	b := make([]byte, 64<<10)
	for {
		n, err := r.Read(b)
		select {
		case p.pieces <- piece{append([]byte(nil), b[:n]...), err}:
		case <-p.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (p *patient) end() { p.stop() }

func (p *patient) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		p.wait()
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// wait takes the next piece, or the reason why there is none.
func (p *patient) wait() {
	var silence <-chan time.Time
	if p.idle > 0 {
		t := time.NewTimer(p.idle)
		defer t.Stop()
		silence = t.C
	}
	select {
	case c := <-p.pieces:
		p.rest, p.err = c.b, c.err
	case <-silence:
		p.err = io.EOF
	case <-p.ctx.Done():
		p.err = io.EOF
	}
}

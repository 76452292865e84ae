package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/atalaya-isr/atalaya"
)

type closingKey struct{}

// closing is closed when the server is about to stop: live lines, which have no end of their own, then end.
func closing(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(closingKey{}).(chan struct{})
	return ch
}

// graceful is how long calls under way may take to end when the server stops.
const graceful = 5 * time.Second

// Listen serves a handler that New made on addr (host:port; port 0 takes any that is free) until ctx ends, and lets calls
// under way end. It refuses an address beyond loopback unless the handler was made with AllowRemote. onReady gets the URL.
func Listen(ctx context.Context, addr string, h http.Handler, onReady func(url string)) error {
	made, _ := h.(handler)
	l, err := listen(ctx, addr, made.remote)
	if err != nil {
		return err
	}
	stopping := make(chan struct{})
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), closingKey{}, stopping)
		}}
	srv.RegisterOnShutdown(func() { close(stopping) })
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	if onReady != nil {
		onReady("http://" + l.Addr().String() + "/")
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceful)
	defer cancel()
	if err := srv.Shutdown(end); err != nil {
		srv.Close() // what is still under way has had its time
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func listen(ctx context.Context, addr string, remote bool) (net.Listener, error) {
	refuse := func(kind atalaya.Kind, hint, format string, args ...any) error {
		return &atalaya.Error{Op: "serve.listen", Kind: kind, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, refuse(atalaya.BadUse, "Write it like 127.0.0.1:7347", "%.60q is no address", addr)
	}
	if host == "localhost" { // not asked of the network
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); !remote && (ip == nil || !ip.IsLoopback()) {
		return nil, refuse(atalaya.Refused, "Use 127.0.0.1 or localhost; for others put a reverse proxy with TLS before it on this machine", "%s is open to other machines, and the workbench answers this one alone", addr)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, refuse(atalaya.Failed, "Stop what uses it, or choose another with --listen (port 0 takes any that is free)", "%s cannot be opened: %v", addr, err)
	}
	return l, nil
}

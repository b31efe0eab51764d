package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// Bridge carries bytes both ways between a client's streams and the connection to a
// host, until the host hangs up, the client does, or ctx ends. The end of the client's
// input is passed on, and what the host still has to say is delivered. It closes both.
//
// It returns the exit code that the client may expect: 0 if it said shutdown, else 1.
// [ErrHostLost] means that the host hung up before the client said exit.
func Bridge(ctx context.Context, host net.Conn, client io.ReadWriteCloser) (code int, err error) {
	stop := context.AfterFunc(ctx, func() {
		host.Close()
		client.Close()
	})
	defer stop()

	// What the client says is also followed, for its exit code.
	follow, tee := io.Pipe()
	seen := make(chan dispatch.Seen, 1)
	go func() { seen <- dispatch.Follow(follow) }()

	var ended atomic.Bool // the client's input came to its end
	up := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.MultiWriter(tee, host), client)
		tee.Close()
		if half, ok := host.(interface{ CloseWrite() error }); ok && err == nil {
			ended.Store(true) // before the host can hang up because of it
			err = half.CloseWrite()
		}
		up <- err
	}()
	_, down := io.Copy(client, host)
	clientDone := ended.Load()
	host.Close()
	client.Close() // ends the copy upwards
	upErr := <-up
	said := <-seen
	if !said.Shutdown {
		code = 1
	}
	switch {
	case ctx.Err() != nil:
		return code, context.Cause(ctx)
	case down != nil && !errors.Is(down, net.ErrClosed):
		return code, fmt.Errorf("daemon: from the host: %w", down)
	case !said.Exit && !clientDone:
		return code, errors.Join(ErrHostLost, hostError(upErr))
	}
	return code, nil
}

// hostError drops what closing both ends makes of a copy.
func hostError(err error) error {
	if err == nil || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("daemon: to the host: %w", err)
}

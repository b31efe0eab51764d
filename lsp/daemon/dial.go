package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"
)

// Dial connects to the host of a store; the Language Server Protocol follows. It fails
// with [ErrNoHost] if nobody listens, and with a [*RefusedError] if the two do not match.
func Dial(ctx context.Context, store string, o Options) (Conn, Info, error) {
	c, info, err := ask(ctx, store, Serve, o)
	if err != nil {
		return nil, info, err
	}
	return c, info, nil
}

// AskStatus returns what a store's host says about itself, whatever its build.
func AskStatus(ctx context.Context, store string, o Options) (Info, error) {
	c, info, err := ask(ctx, store, Status, o)
	if err == nil {
		c.Close()
	}
	return info, err
}

// AskStop tells a store's host to end, whatever its build, and waits until it has
// closed the connection. The store's lock is free shortly after.
func AskStop(ctx context.Context, store string, o Options) (Info, error) {
	c, info, err := ask(ctx, store, Stop, o)
	if err != nil {
		return info, err
	}
	defer c.Close()
	unblock := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer unblock()
	_, _ = c.Read(make([]byte, 1)) // the end of the connection is what is waited for
	return info, context.Cause(ctx)
}

func ask(ctx context.Context, store string, verb Verb, o Options) (*lineConn, Info, error) {
	o = o.filled()
	canonical, err := canonicalStore(store)
	if err != nil {
		return nil, Info{}, err
	}
	path, err := SocketPath(store)
	if err != nil {
		return nil, Info{}, err
	}
	if err := checkSocket(path, os.Getuid()); err != nil {
		return nil, Info{}, fmt.Errorf("daemon: store %s: %w", store, err)
	}
	var d net.Dialer
	raw, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		switch {
		case absent(err):
			return nil, Info{}, fmt.Errorf("%w: %s", ErrNoHost, store)
		case busy(err):
			return nil, Info{}, fmt.Errorf("%w: %s: %w", ErrBusy, store, err)
		}
		return nil, Info{}, fmt.Errorf("daemon: connecting to the host of %s: %w", store, unsupported(err))
	}
	c := newLineConn(raw.(*net.UnixConn))
	info, err := shake(ctx, c, hello{
		Version: HandshakeVersion, Verb: verb, Build: o.Build, Store: canonical, Peer: Peer{PID: os.Getpid(), Name: o.Name},
	}, o)
	if err != nil {
		c.Close()
		return nil, info, err
	}
	return c, info, nil
}

func shake(ctx context.Context, c *lineConn, out hello, o Options) (Info, error) {
	unblock := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer unblock()
	if err := checkUser(c.UnixConn, o.peer); err != nil {
		return Info{}, &RefusedError{Reason: ReasonUser, Message: err.Error()}
	}
	if err := c.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return Info{}, fmt.Errorf("daemon: handshake: %w", err)
	}
	var in welcome
	werr := c.writeLine(out) // a host that refuses before it has read all closes; its line still comes
	err := c.readLine(&in)
	if err != nil {
		err = errors.Join(werr, err)
	}
	switch {
	case ctx.Err() != nil:
		return Info{}, fmt.Errorf("daemon: handshake: %w", context.Cause(ctx))
	case err != nil:
		// A host that ends closes the connection instead of answering.
		return Info{}, fmt.Errorf("%w: %s: the host hung up in the handshake: %w", ErrNoHost, out.Store, err)
	case in.Refused != "":
		return in.Info, &RefusedError{Reason: in.Refused, Message: in.Message, Host: in.Info}
	case in.Version != HandshakeVersion:
		return in.Info, &RefusedError{Reason: ReasonProtocol, Message: fmt.Sprintf("the host speaks handshake version %d, the client %d", in.Version, HandshakeVersion), Host: in.Info}
	case in.Store != out.Store:
		return in.Info, &RefusedError{Reason: ReasonStore, Message: fmt.Sprintf("the host has store %s, the client wants %s", in.Store, out.Store), Host: in.Info}
	}
	if !unblock() {
		return in.Info, fmt.Errorf("daemon: handshake: %w", context.Cause(ctx))
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return in.Info, fmt.Errorf("daemon: handshake: %w", err)
	}
	return in.Info, nil
}

// OpenOrDial gets access to a store one way or the other. It dials, because a host that answers
// is the store's host whatever has become of its lock; if there is none it calls open, which
// tries to open the store and fails with an error that matches locked if another process has
// it. Both are repeated until one works: a holder may not listen yet, or may be about to end. It
// returns no connection if open succeeded. Any other error of open, a refusal, or the end of
// ctx ends the attempt.
func OpenOrDial(ctx context.Context, store string, o Options, locked error, open func() error) (Conn, Info, error) {
	wait := 5 * time.Millisecond
	var before error // why the attempt before failed
	for {
		c, info, err := Dial(ctx, store, o)
		if err == nil {
			return c, info, nil
		}
		if ctx.Err() != nil && before != nil {
			return nil, info, errors.Join(before, context.Cause(ctx))
		}
		refused, _ := errors.AsType[*RefusedError](err)
		if refused != nil && refused.Reason != ReasonClosing {
			return nil, info, err // a host is there
		}
		openErr := open()
		if openErr == nil {
			return nil, Info{}, nil
		}
		if !errors.Is(openErr, locked) {
			return nil, Info{}, openErr
		}
		late, _ := errors.AsType[net.Error](err)
		switch {
		case late != nil && late.Timeout(): // its time is up, which says less than what was before
			if before == nil {
				before = errors.Join(openErr, err)
			}
		case refused != nil, errors.Is(err, ErrNoHost), errors.Is(err, ErrBusy):
			before = errors.Join(openErr, err)
		default:
			return nil, info, errors.Join(err, openErr)
		}
		// A herd that lost the same host does not ask in step.
		timer := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, info, errors.Join(before, context.Cause(ctx))
		case <-timer.C:
		}
		wait = min(2*wait, 200*time.Millisecond)
	}
}

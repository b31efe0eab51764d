package server

import (
	"context"
	"fmt"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/lsp/position"
)

// initialize agrees on the terms of the session and opens its folders.
func (s *session) initialize(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.InitializeParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	var offer []protocol.PositionEncodingKind
	if p.Capabilities.General != nil {
		offer = p.Capabilities.General.PositionEncodings
	}
	a := &terms{encoding: position.Negotiate(offer), caps: readCapabilities(&p.Capabilities), client: clientName(&p.ClientInfo)}
	a.docs = document.NewStore(a.encoding, s.host.o.MaxDocumentBytes)
	options := readOptions(p.InitializationOptions)
	a.mode, a.noIndex = chooseMode(a.caps, options), options.NoIndex || s.host.o.NoIndex
	a.settings = options.Settings
	dirs, err := workspaceFolders(r.Params, s.host.o.Root)
	if err != nil {
		return dispatch.Done, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "initialize: %v", err)
	}
	if err := s.openFolders(ctx, dirs); err != nil {
		return dispatch.Done, fmt.Errorf("initialize: %w", err)
	}
	s.agreed.Store(a)
	s.initRefreshers(a.caps.refreshes, s.table())
	s.conn.SetTrace(p.Trace)
	s.log.Info("server: session begins", "client", a.client, "encoding", a.encoding.String(), "diagnostics", string(a.mode), "folders", len(s.folderList()))
	result := &protocol.InitializeResult{
		Capabilities: s.host.serverCapabilities(a.encoding, a.caps, a.mode),
		ServerInfo:   protocol.ServerInfo{Name: s.host.o.Name},
	}
	s.announceFeatures(&result.Capabilities, a.caps)
	if v := s.host.o.Version; v != "" {
		result.ServerInfo.Version = protocol.NewOptional(v)
	}
	return dispatch.Now(result), nil
}

func clientName(info *protocol.ClientInfo) string {
	name := strings.Clone(info.Name)
	if v, ok := info.Version.Get(); ok {
		name = fmt.Sprintf("%s %s", name, v)
	}
	if name == "" {
		return "a client without a name"
	}
	return name
}

// initialized is the moment from which the client may be sent anything.
func (s *session) initialized(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	s.live.Store(true)
	for _, message := range s.unopened {
		s.tell(protocol.MessageTypeError, true, message)
	}
	s.unopened = nil
	s.begin(s.registerWatchers)
	s.watchSettings(s.agreed.Load().settings)
	for _, f := range s.folderList() {
		s.enterFolder(f)
	}
	return dispatch.Done, nil
}

// enterFolder shows what is known of a folder and brings it up to date.
func (s *session) enterFolder(f *folder) {
	s.pub.publishKnown(f)
	s.showIndexing(f.root)
	a := s.agreed.Load()
	if a.noIndex {
		return
	}
	f.root.index.start()
	if s.host.o.WatchDisk && !a.caps.watchFiles {
		f.root.watchDisk()
	}
}

// shutdown answers null; nothing has to be saved.
func (s *session) shutdown(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	s.live.Store(false)
	s.pub.stop()
	return dispatch.Done, nil
}

// setTrace sets how much the client is told with $/logTrace.
func (s *session) setTrace(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.SetTraceParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	s.conn.SetTrace(p.Value)
	return dispatch.Done, nil
}

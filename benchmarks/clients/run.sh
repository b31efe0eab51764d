#!/bin/sh
# Has real editors ask a server about a small module: those that are installed. The argument is the
# server's command.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
SERVER=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export HERE SERVER GOFLAGS=-mod=mod GOWORK=off HOME="$WORK/home" GOCACHE="$(go env GOCACHE)" GOMODCACHE="$(go env GOMODCACHE)"
mkdir -p "$HOME"
bad=0

# fresh makes a module of its own for a client.
fresh() {
	MODULE="$WORK/$1"
	cp -r "$HERE/testdata/module" "$MODULE"
	mv "$MODULE/main.go.txt" "$MODULE/main.go" # is not laid out, so that there is something to do
	export MODULE
}

if command -v nvim >/dev/null; then
	fresh neovim
	nvim --headless -u NONE -c "luafile $HERE/neovim.lua" -c 'cquit 3' </dev/null || bad=1
else
	echo "neovim is not installed: skipped"
fi
if command -v emacs >/dev/null && emacs --batch --eval "(require 'eglot)" >/dev/null 2>&1; then
	fresh eglot
	emacs --batch -l "$HERE/eglot.el" </dev/null 2>"$WORK/emacs.log" || { bad=1; tail -5 "$WORK/emacs.log"; }
else
	echo "emacs with eglot is not installed: skipped"
fi
if command -v node >/dev/null && command -v npm >/dev/null; then
	fresh node
	mkdir -p "$WORK/library"
	if (cd "$WORK/library" && npm install --silent --no-fund --no-audit vscode-languageserver-protocol@3.17.5 >/dev/null 2>&1); then
		(cd "$WORK/library" && node "$HERE/node.mjs" "$SERVER" "$MODULE") || bad=1
	else
		echo "vscode-languageserver-protocol cannot be had from npm: node is skipped"
	fi
else
	echo "node and npm are not installed: skipped"
fi
exit $bad

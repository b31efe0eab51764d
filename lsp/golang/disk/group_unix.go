//go:build unix

package disk

import (
	"os/exec"
	"syscall"
)

// A group is a command with all that it starts.
type group struct{ cmd *exec.Cmd }

// newGroup makes a command that is not started yet the leader of a session: a group of its own that
// signals reach as one, without a terminal that a child could ask a password at.
func newGroup(cmd *exec.Cmd) *group {
	g := &group{cmd}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = g.kill
	return g
}

func (g *group) started() {}

// ended takes what cmd.Wait returned, or cmd.Start if that failed. An error of cmd.Wait means that
// a child may be left: the leader was killed, or its output is still held.
func (g *group) ended(err error) {
	if err != nil && g.cmd.Process != nil {
		_ = g.kill() // fails if none is left
	}
}

// kill ends the group. Its number is the leader's, which is not given out again while a process
// of the group is left.
func (g *group) kill() error { return syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) }

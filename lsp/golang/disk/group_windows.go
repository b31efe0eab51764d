package disk

import (
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A group is a command with all that it starts: a job object, whose last handle ends it, also when
// this process dies. Without a job, which a system may refuse, only the command itself is ended.
type group struct {
	cmd *exec.Cmd
	job windows.Handle // 0: none
}

func newGroup(cmd *exec.Cmd) *group {
	g := &group{cmd: cmd}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return g
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	// The structure is read during the call only.
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		_ = windows.CloseHandle(job)
		return g
	}
	g.job = job
	cmd.Cancel = func() error {
		_ = windows.TerminateJobObject(job, 1) // the command may not be in it
		return cmd.Process.Kill()
	}
	return g
}

func (g *group) started() {
	if g.job == 0 {
		return
	}
	p, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(g.cmd.Process.Pid))
	if err != nil {
		return
	}
	_ = windows.AssignProcessToJobObject(g.job, p) // refused where jobs do not nest
	_ = windows.CloseHandle(p)
}

func (g *group) ended(error) {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}

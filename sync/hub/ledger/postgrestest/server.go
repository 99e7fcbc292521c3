// Package postgrestest starts PostgreSQL servers for tests: real ones, of their own,
// in a folder that goes with them.
//
// It guarantees that a server listens on a socket in its folder alone, runs as an
// unprivileged user (as root it takes the user postgres or nobody), and ends with
// the test, also where the test is killed. A test without PostgreSQL on its machine
// fails and says what to do.
//
// Callers owe a TestMain that calls Main where they use Database.
package postgrestest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// Server is a PostgreSQL server.
type Server struct {
	dir  string // holds data, the socket, the log
	as   *syscall.Credential
	more []string // settings
	proc *os.Process
	done chan struct{} // closed when proc has ended
}

var shared struct {
	sync.Mutex
	server *Server
	made   int
}

// Main runs the tests of a binary that uses Database, and stops its server.
func Main(m *testing.M) int {
	defer func() {
		shared.Lock()
		defer shared.Unlock()
		if shared.server != nil {
			shared.server.stop()
		}
	}()
	return m.Run()
}

// Database makes an empty database on the binary's one server, which does not sync:
// for tests that kill nothing. It returns its address.
func Database(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := start("fsync=off")
		if err != nil {
			t.Fatal(err)
		}
		shared.server = s
	}
	shared.made++
	return shared.server.Create(t, fmt.Sprintf("tact%d", shared.made))
}

// New starts a server that syncs, for one test. It has an empty database tact.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	s.Create(t, "tact")
	return s
}

// Address is that of the server's database.
func (s *Server) Address(database string) string {
	u := url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: url.Values{"host": {s.dir}, "user": {"tact"}}.Encode()}
	return u.String()
}

// Data is the folder of the server's files.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// Kill ends the server at once (SIGKILL), as a loss of power would for all but the disk.
func (s *Server) Kill() {
	if s.proc != nil {
		s.proc.Kill()
		<-s.done
		s.proc = nil
	}
}

// Start starts a server that was killed. It takes connections when Start returns.
func (s *Server) Start() error {
	deadline := time.Now().Add(30 * time.Second)
	for { // the children of the one that was killed may not be gone yet
		err := s.launch()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		<-time.After(50 * time.Millisecond)
	}
}

// Create makes an empty database and returns its address.
func (s *Server) Create(t testing.TB, database string) string {
	t.Helper()
	db, err := sql.Open("pgx", s.Address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE " + database); err != nil {
		t.Fatal(err)
	}
	return s.Address(database)
}

func start(settings ...string) (*Server, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tact-pg-") // short: the path of a socket has 107 bytes
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, more: settings}
	if s.as, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.as != nil {
		if err := os.Chown(dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(initdb, "-D", s.Data(), "-U", "tact", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := s.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// launch starts the server's process once, and waits until it takes connections.
func (s *Server) launch() error {
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	args := []string{"-D", s.Data(), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.dir, "-c", "autovacuum_naptime=1d"}
	for _, m := range s.more {
		args = append(args, "-c", m)
	}
	var log bytes.Buffer
	cmd := exec.Command(postgres, args...)
	cmd.Dir, cmd.Stderr = s.dir, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGKILL}
	started, done := make(chan error), make(chan struct{})
	go func() {
		// The signal comes when the thread that started the process ends: this one stays.
		runtime.LockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	db, err := sql.Open("pgx", s.Address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(20 * time.Second); ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			s.proc, s.done = cmd.Process, done
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("postgres has ended: %s", log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			<-done
			return fmt.Errorf("postgres does not answer: %w", err)
		}
	}
}

func (s *Server) stop() {
	if s.proc != nil {
		s.proc.Signal(syscall.SIGINT) // fast
		select {
		case <-s.done:
		case <-time.After(10 * time.Second):
			s.Kill()
		}
	}
	os.RemoveAll(s.dir)
}

// program finds one of PostgreSQL's programs, which distributions keep out of the PATH.
func program(name string) (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		newest := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
			return n
		}
		return slices.MaxFunc(found, func(a, b string) int { return newest(a) - newest(b) }), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is not installed: run make tools: %w", err)
	}
	return path, nil
}

// unprivileged is whom a server runs as where the test runs as root, which it refuses; else nil.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

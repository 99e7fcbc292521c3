package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tact-edge/tact/sync/hub/ledger"
)

// childDir tells the re-executed test binary to be a hub in that folder.
const childDir = "TACT_TEST_HUB_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	h, err := Start(context.Background(), Config{Dir: dir, Tenant: "shop", HTTP: "127.0.0.1:0", Sources: map[string]string{"crm": token}})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(h.URL())
	select {} // until it is killed
}

// A hub killed in the middle of taking lines has every line that it answered for.
func TestKilledHubLosesNothingItAnsweredFor(t *testing.T) {
	dir := t.TempDir()
	answered, asked := 0, 0
	for life := range 4 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		url, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || !strings.HasPrefix(url, "http") {
			t.Fatalf("hub did not start: %q, %v", url, err)
		}
		killed := time.AfterFunc(time.Duration(100+70*life)*time.Millisecond, func() { cmd.Process.Kill() })
		for {
			asked++
			body := fmt.Sprintf("{\"interaction\":\"visit\",\"customer\":\"crm:%d\",\"id\":\"%d\"}\n", asked, asked)
			r, err := http.NewRequest("POST", strings.TrimSpace(url)+"/v1/events", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			a, err := http.DefaultClient.Do(r)
			if err != nil {
				break // killed
			}
			var taken Taken
			err = json.NewDecoder(a.Body).Decode(&taken)
			a.Body.Close()
			if err != nil {
				break
			}
			answered += taken.Accepted
		}
		killed.Stop()
		cmd.Process.Kill()
		cmd.Wait()
		l, err := ledger.OpenSQLite(context.Background(), filepath.Join(dir, LedgerFile))
		if err != nil {
			t.Fatal(err)
		}
		n, err := l.Count(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if int(n.Entries) < answered || int(n.Entries) > asked {
			t.Fatalf("life %d: %d lines are here, %d were answered for, %d sent", life, n.Entries, answered, asked)
		}
	}
	if answered < 20 {
		t.Errorf("only %d lines were answered: the test proves little", answered)
	}
	t.Logf("%d lines answered, %d sent, over 4 kills", answered, asked)
}

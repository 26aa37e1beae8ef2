package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	clientKey = os.Getenv("CLIENT_KEY")
	serverKey = os.Getenv("SERVER_KEY")
	listening = regexp.MustCompile(`"event":"listening","port":(\d+)`)
	traits    = map[string]any{"plan": "pro", "orders": 73, "rating": 4.5, "newsletter": true}
)

// An API instance of the driver's own, which can go away and come back at the same port.
type instance struct {
	port    string
	process *exec.Cmd
}

// Starts the instance unless it is there.
func (i *instance) start() {
	if i.process != nil {
		return
	}
	command := exec.Command(os.Getenv("API_PROGRAM"), "--port", i.port, "--database", os.Getenv("API_DATABASE"))
	log, err := command.StderrPipe()
	must(err)
	must(command.Start())
	lines := bufio.NewReader(log)
	for {
		text, err := lines.ReadString('\n')
		must(err)
		if found := listening.FindStringSubmatch(text); found != nil {
			i.port = found[1]
			break
		}
	}
	go io.Copy(io.Discard, lines) // or its log fills the pipe
	i.process = command
}

func (i *instance) stop() {
	if i.process != nil {
		must(i.process.Process.Signal(syscall.SIGTERM))
		i.process.Wait()
		i.process = nil
	}
}

func (i *instance) url() string {
	return "http://127.0.0.1:" + i.port
}

// What the database answers, asked with psql.
func sql(query string) string {
	answer, err := exec.Command("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query).Output()
	must(err)
	return strings.TrimSpace(string(answer))
}

// Whether the stored traits of an identity are these; nil is for no identity.
func stores(identifier string, expected map[string]any) bool {
	var found, wanted any
	answer := sql("SELECT coalesce((SELECT traits FROM flagsmith.identity WHERE identifier = '" + identifier + "'), 'null')")
	must(json.Unmarshal([]byte(answer), &found))
	text, err := json.Marshal(expected)
	must(err)
	must(json.Unmarshal(text, &wanted))
	return reflect.DeepEqual(found, wanted)
}

func identities() string {
	return sql("SELECT count(*) FROM flagsmith.identity")
}

func counted() int {
	count, err := strconv.Atoi(sql("SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation e" +
		" JOIN flagsmith.feature f ON f.id = e.feature_id WHERE name = 'photo_search'"))
	must(err)
	return count
}

func change(enabled bool) {
	sql("UPDATE flagsmith.feature_state s SET enabled = " + strconv.FormatBool(enabled) +
		" FROM flagsmith.feature f WHERE f.id = s.feature_id AND name = 'stock_editor'")
}

func await(holds func() bool, what string) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if holds() {
			return
		}
	}
	panic("not seen: " + what)
}

// The SDK API in Go: cd docs/examples && DATABASE_URL=... PORT=8000 go run .
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	get       = "SELECT * FROM flagsmith.http_get(@target, @headers::text::jsonb)"
	post      = "SELECT * FROM flagsmith.http_post(@target, @headers::text::jsonb, @body)"
	bodyLimit = 1 << 20
)

var queries = map[string]string{"GET": get, "HEAD": get, "POST": post, "PUT": post}

func answer(pool *pgxpool.Pool, r *http.Request) (status int, headers map[string]string, body *string) {
	if queries[r.Method] == "" {
		return fail(http.StatusMethodNotAllowed, "This method is not allowed.")
	}
	sent, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, bodyLimit))
	if err != nil {
		return fail(http.StatusRequestEntityTooLarge, "The body is too large.")
	}
	fields := map[string]string{}
	for name, values := range r.Header {
		fields[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	text, _ := json.Marshal(fields)
	ctx, cancel := context.WithTimeout(r.Context(), 4*time.Second)
	defer cancel()
	arguments := pgx.NamedArgs{"target": r.RequestURI, "headers": string(text), "body": string(sent)}
	err = pool.QueryRow(ctx, queries[r.Method], arguments).Scan(&status, &headers, &body)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && strings.HasPrefix(refused.Code, "22") {
		return fail(http.StatusBadRequest, "The request is no text.")
	} else if err != nil {
		log.Printf("database: %T", err)
		return fail(http.StatusServiceUnavailable, "The database is away.")
	}
	return
}

func fail(status int, detail string) (int, map[string]string, *string) {
	body := `{"detail":"` + detail + `"}`
	return status, map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}, &body
}

func main() {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal("DATABASE_URL is no address of a database")
	}
	// No prepared statements: the next transaction may run on another of pgbouncer's connections.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, headers, body := answer(pool, r)
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		if body != nil {
			io.WriteString(w, *body)
		}
	})
	server := http.Server{Addr: "127.0.0.1:" + cmp.Or(os.Getenv("PORT"), "8000"), Handler: handler, ReadTimeout: 20 * time.Second}
	log.Fatal(server.ListenAndServe())
}

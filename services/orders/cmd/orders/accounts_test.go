package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
)

// accountsService stands for the accounts service: the same subjects and messages over the same broker, and members in a
// map, by their ids, with their name and email.
type accountsService struct {
	mutex   sync.Mutex
	members map[uint64]string
	// admin is the one member with the admin right.
	admin uint64
	// before runs ahead of each answer to ExistsRequest.
	before func()
	stop   func()
}

const (
	alice = 1
	bob   = 2
	boss  = 9 // an admin
)

func serveAccounts(t *testing.T, conn *nats.Conn) *accountsService {
	t.Helper()
	service := &accountsService{admin: boss, members: map[uint64]string{
		alice: "Alice alice@oms.test", bob: "밥 bob@oms.test", boss: "Boss boss@oms.test",
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- natsx.Serve(ctx, conn, accounts.Service, quiet(),
			natsx.NewEndpoint("exists", accounts.SubjectExists, service.exists),
			natsx.NewEndpoint("match", accounts.SubjectMatch, service.match))
	}()
	service.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(service.stop)
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := natsx.Call[accounts.MatchReply](ctx, conn, accounts.SubjectMatch, accounts.MatchRequest{})
		return err == nil
	}, patience, poll)
	return service
}

func (a *accountsService) add(id uint64, text string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.members[id] = text
}

func (a *accountsService) demote() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.admin = 0
}

func (a *accountsService) exists(_ context.Context, request accounts.ExistsRequest) (accounts.ExistsReply, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.before != nil {
		a.before()
	}
	_, exists := a.members[request.MemberID]
	return accounts.ExistsReply{Exists: exists, Active: exists, Admin: exists && request.MemberID == a.admin}, nil
}

func (a *accountsService) match(_ context.Context, request accounts.MatchRequest) (accounts.MatchReply, error) {
	reply := accounts.MatchReply{MemberIDs: make([][]uint64, len(request.Terms))}
	for i, term := range request.Terms {
		for id, text := range a.members {
			if strings.Contains(strings.ToLower(text), strings.ToLower(term)) && (request.Among == 0 || request.Among == id) {
				reply.MemberIDs[i] = append(reply.MemberIDs[i], id)
			}
		}
		slices.Sort(reply.MemberIDs[i])
	}
	return reply, nil
}

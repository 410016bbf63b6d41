// Package poc is the walk-through of OMS: what a first user would try, in order. It prints each request with its answer, and ends at
// the first wrong answer. All steps but the last use HTTP only, as any client does. The last step compares the rows on both database
// servers, as their user ops.
package poc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"oms.internal/deploy/internal/stack"
	"oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

// password is the password of every member here.
const password = "Jhlee'spwd0" // #nosec G101 -- of members that are made up here

// people are the four members of drf-oms's walk-through.
var people = []struct{ name, nickname, phone string }{
	{"정영미", "youngmi", "01083574361"},
	{"이철근", "leecg", "01083574362"},
	{"이은겸", "dream", "01083574363"},
	{"김선기", "sungi", "01083574364"},
}

var products = []string{"무지개 미니낭초", "[신메뉴할인] 꼬막무침 🍤", "무색소 천연가루 마카롱", "Hand-drip coffee set"}

// walk is one run. Its email addresses and order numbers are its own, so that a walk can be repeated on the same data.
type walk struct {
	transcript    transcript
	gateway       string // URL without a path
	run           string // part of all its names
	members       []api.Member
	orders        []api.Order
	first, second *client.Client // two sessions of the last member
}

// Run walks through the running stack and prints on out.
func Run(ctx context.Context, s stack.Stack, out io.Writer) error {
	transport, err := transportOf(s.Choices["TLS_CERT_FILE"], s.Choices["TLS_KEY_FILE"])
	if err != nil {
		return err
	}
	w := &walk{
		run: strings.ToLower(rand.Text()[:8]), gateway: fmt.Sprintf("%s://127.0.0.1:%d", s.Choices.Scheme(), s.Ports.Gateway),
		transcript: transcript{out: out, next: transport},
	}
	for _, step := range []func(context.Context) error{
		w.signUp, w.logIn, w.placeOrders, w.logOut, w.lookAtOneself, w.listOrders, w.search,
		func(ctx context.Context) error { return w.compareServers(ctx, s) },
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out, "\nAll answers are as they should be.")
	return err
}

// client returns a client in no session, which sends each request once: the walk-through ends at the first wrong answer.
func (w *walk) client() (*client.Client, error) {
	return client.New(w.gateway, client.Options{HTTP: &http.Client{Transport: &w.transcript}, Attempts: 1})
}

func (w *walk) signUp(ctx context.Context) error {
	for _, person := range people {
		w.transcript.title("sign up %s", person.name)
		c, err := w.client()
		if err != nil {
			return err
		}
		email := fmt.Sprintf("%s@%s.test", person.nickname, w.run)
		member, err := c.SignUp(ctx, api.NewMember{
			Email: email, Password: password, Name: person.name, Nickname: person.nickname, Phone: person.phone,
		}, nil)
		if err != nil {
			return fmt.Errorf("sign up: %w", err)
		}
		if grant, _ := c.Grant(); member.Email != email || member.Name != person.name || member.ID == 0 || grant.Token == "" {
			return errors.New("the answer does not hold the new member with a token")
		}
		w.members = append(w.members, member.Member)
	}
	return nil
}

// self is the member who takes all steps after the sign-ups.
func (w *walk) self() api.Member { return w.members[len(w.members)-1] }

func (w *walk) logIn(ctx context.Context) error {
	var tokens []string
	for _, session := range []**client.Client{&w.first, &w.second} {
		w.transcript.title("log in as %s", w.self().Name)
		c, err := w.client()
		if err != nil {
			return err
		}
		member, err := c.LogIn(ctx, api.Credentials{Email: w.self().Email, Password: password})
		if err != nil {
			return fmt.Errorf("log in: %w", err)
		}
		grant, _ := c.Grant()
		if member.ID != w.self().ID || grant.Token == "" {
			return errors.New("the answer does not hold the member with a token")
		}
		*session, tokens = c, append(tokens, grant.Token)
	}
	if tokens[0] == tokens[1] {
		return errors.New("two logins gave the same token")
	}
	return nil
}

func (w *walk) placeOrders(ctx context.Context) error {
	for i, product := range products {
		session, which := w.first, "first"
		if i >= len(products)/2 {
			session, which = w.second, "second"
		}
		w.transcript.title("order %s in the %s session", product, which)
		self, number := w.self().ID, strings.ToUpper(w.run)+fmt.Sprintf("%04d", i+1)
		order, err := session.CreateOrder(ctx, api.NewOrder{Customer: &self, OrderNumber: &number, ProductName: product}, nil)
		if err != nil {
			return fmt.Errorf("place an order: %w", err)
		}
		if order.Customer != self || order.OrderNumber != number || order.ProductName != product || order.ID == 0 {
			return errors.New("the answer does not hold the order")
		}
		w.orders = append(w.orders, order.Order)
	}
	return nil
}

func (w *walk) logOut(ctx context.Context) error {
	w.transcript.title("log out in the first session")
	ended, _ := w.first.Grant()
	if err := w.first.LogOut(ctx); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	w.transcript.title("the first session is refused")
	w.first.Resume(api.Grant{Token: ended.Token})
	_, err := w.first.ListOrders(ctx, nil)
	if refusal, ok := errors.AsType[*client.Error](err); ok && refusal.Code == fault.Unauthenticated {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list orders: %w", err)
	}
	return errors.New("the token of a session that ended is still accepted")
}

func (w *walk) lookAtOneself(ctx context.Context) error {
	w.transcript.title("own detail, with the last order, in the second session")
	member, err := w.second.GetMember(ctx, w.self().ID, nil)
	if err != nil {
		return fmt.Errorf("look up a member: %w", err)
	}
	return w.checkSelf(member.Member)
}

func (w *walk) listOrders(ctx context.Context) error {
	w.transcript.title("own orders")
	page, err := w.second.ListOrders(ctx, nil)
	if err != nil {
		return fmt.Errorf("list orders: %w", err)
	}
	if page.Count == nil || *page.Count != int64(len(w.orders)) || len(page.Results) != len(w.orders) {
		return fmt.Errorf("the answer does not hold %d orders", len(w.orders))
	}
	return nil
}

func (w *walk) search(ctx context.Context) error {
	w.transcript.title("search for oneself")
	email := w.self().Email
	page, err := w.second.ListMembers(ctx, &api.ListMembersParams{Search: &email})
	if err != nil {
		return fmt.Errorf("search for members: %w", err)
	}
	if page.Count == nil || *page.Count != 1 || len(page.Results) != 1 {
		return errors.New("the answer does not hold one member")
	}
	return w.checkSelf(page.Results[0])
}

// checkSelf demands that an answer holds the own member with the last order.
func (w *walk) checkSelf(answer api.Member) error {
	last := w.orders[len(w.orders)-1]
	if answer.ID != w.self().ID || answer.Email != w.self().Email {
		return errors.New("the answer holds another member")
	}
	if answer.LastOrder == nil || answer.LastOrder.OrderNumber != last.OrderNumber {
		return fmt.Errorf("the last order is not %s", last.OrderNumber)
	}
	return nil
}

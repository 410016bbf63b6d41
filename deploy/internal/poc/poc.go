// Package poc is the walk-through of OMS: what a first user would try, in order. It prints each request with its answer, and ends at
// the first wrong answer. All steps but the last use HTTP only, as any client does. The last step compares the rows on both database
// servers, as their user ops.
package poc

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"oms.internal/deploy/internal/stack"
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
	client        client
	run           string // part of all its names
	members       []member
	orders        []order
	first, second string // the tokens of the last member's two sessions
}

type member struct {
	ID        json.Number `json:"id"`
	Email     string      `json:"email"`
	Name      string      `json:"name"`
	LastOrder *order      `json:"last_order"`
}

type order struct {
	ID          json.Number `json:"id"`
	Customer    json.Number `json:"customer"`
	OrderNumber string      `json:"order_number"`
	ProductName string      `json:"product_name"`
}

type session struct {
	User  member `json:"user"`
	Token string `json:"token"`
}

type page[T any] struct {
	Count   int `json:"count"`
	Results []T `json:"results"`
}

// Run walks through the running stack and prints on out.
func Run(ctx context.Context, s stack.Stack, out io.Writer) error {
	http, err := clientOf(s.Choices["TLS_CERT_FILE"], s.Choices["TLS_KEY_FILE"])
	if err != nil {
		return err
	}
	w := &walk{
		run:    strings.ToLower(rand.Text()[:8]),
		client: client{base: fmt.Sprintf("%s://127.0.0.1:%d", s.Choices.Scheme(), s.Ports.Gateway), http: http, out: out},
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

func (w *walk) signUp(ctx context.Context) error {
	for _, person := range people {
		email := fmt.Sprintf("%s@%s.test", person.nickname, w.run)
		answer, err := call[session](ctx, &w.client, request{
			title:  "sign up " + person.name,
			method: http.MethodPost, path: "/accounts/users", want: http.StatusCreated,
			body: map[string]any{
				"email": email, "password": password, "name": person.name, "nickname": person.nickname, "phone": person.phone,
			},
		})
		if err != nil {
			return err
		}
		if answer.User.Email != email || answer.User.Name != person.name || answer.User.ID == "" || answer.Token == "" {
			return fmt.Errorf("the answer does not hold the new member with a token")
		}
		w.members = append(w.members, answer.User)
	}
	return nil
}

// self is the member who takes all steps after the sign-ups.
func (w *walk) self() member { return w.members[len(w.members)-1] }

func (w *walk) logIn(ctx context.Context) error {
	for _, token := range []*string{&w.first, &w.second} {
		answer, err := call[session](ctx, &w.client, request{
			title:  "log in as " + w.self().Name,
			method: http.MethodPost, path: "/auth/login", want: http.StatusOK,
			body: map[string]any{"email": w.self().Email, "password": password},
		})
		if err != nil {
			return err
		}
		if answer.User.ID != w.self().ID || answer.Token == "" {
			return fmt.Errorf("the answer does not hold the member with a token")
		}
		*token = answer.Token
	}
	if w.first == w.second {
		return fmt.Errorf("two logins gave the same token")
	}
	return nil
}

func (w *walk) placeOrders(ctx context.Context) error {
	for i, product := range products {
		token, which := w.first, "first"
		if i >= len(products)/2 {
			token, which = w.second, "second"
		}
		number := strings.ToUpper(w.run) + fmt.Sprintf("%04d", i+1)
		answer, err := call[order](ctx, &w.client, request{
			title:  "order " + product + " in the " + which + " session",
			method: http.MethodPost, path: "/orders/", token: token, want: http.StatusCreated,
			body: map[string]any{"customer": w.self().ID, "order_number": number, "product_name": product},
		})
		if err != nil {
			return err
		}
		if answer.Customer != w.self().ID || answer.OrderNumber != number || answer.ProductName != product || answer.ID == "" {
			return fmt.Errorf("the answer does not hold the order")
		}
		w.orders = append(w.orders, answer)
	}
	return nil
}

func (w *walk) logOut(ctx context.Context) error {
	if _, err := call[any](ctx, &w.client, request{
		title:  "log out in the first session",
		method: http.MethodPost, path: "/auth/logout", token: w.first, want: http.StatusNoContent,
	}); err != nil {
		return err
	}
	_, err := call[any](ctx, &w.client, request{
		title:  "the first session is refused",
		method: http.MethodGet, path: "/orders/", token: w.first, want: http.StatusUnauthorized,
	})
	return err
}

func (w *walk) lookAtOneself(ctx context.Context) error {
	answer, err := call[member](ctx, &w.client, request{
		title:  "own detail, with the last order, in the second session",
		method: http.MethodGet, path: "/accounts/users/" + w.self().ID.String(), token: w.second, want: http.StatusOK,
	})
	if err != nil {
		return err
	}
	return w.checkSelf(answer)
}

func (w *walk) listOrders(ctx context.Context) error {
	answer, err := call[page[order]](ctx, &w.client, request{
		title:  "own orders",
		method: http.MethodGet, path: "/orders/", token: w.second, want: http.StatusOK,
	})
	if err != nil {
		return err
	}
	if answer.Count != len(w.orders) || len(answer.Results) != len(w.orders) {
		return fmt.Errorf("the answer holds %d orders, not %d", answer.Count, len(w.orders))
	}
	return nil
}

func (w *walk) search(ctx context.Context) error {
	answer, err := call[page[member]](ctx, &w.client, request{
		title:  "search for oneself",
		method: http.MethodGet, path: "/accounts/users?search=" + url.QueryEscape(w.self().Email), token: w.second,
		want: http.StatusOK,
	})
	if err != nil {
		return err
	}
	if answer.Count != 1 || len(answer.Results) != 1 {
		return fmt.Errorf("the answer holds %d members, not one", answer.Count)
	}
	return w.checkSelf(answer.Results[0])
}

// checkSelf demands that an answer holds the own member with the last order.
func (w *walk) checkSelf(answer member) error {
	last := w.orders[len(w.orders)-1]
	if answer.ID != w.self().ID || answer.Email != w.self().Email {
		return fmt.Errorf("the answer holds another member")
	}
	if answer.LastOrder == nil || answer.LastOrder.OrderNumber != last.OrderNumber {
		return fmt.Errorf("the last order is not %s", last.OrderNumber)
	}
	return nil
}

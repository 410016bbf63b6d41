package consistencyhttp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/fault"
)

const caller = 5

// service is an app behind the handler.
type service struct {
	*fiber.App
	memory    *consistency.Memory
	published []consistency.Written
}

// newService remembers token 100 of the caller, and makes requests under /anonymous without one.
func newService() *service {
	s := &service{App: fiber.New(), memory: consistency.NewMemory(time.Now)}
	s.memory.Note(consistency.Written{MemberIDs: []uint64{caller}, Token: 100})
	as := func(memberID uint64) fiber.Handler {
		return func(c *fiber.Ctx) error {
			c.SetUserContext(authn.Into(c.UserContext(), authn.Principal{MemberID: memberID}))
			return c.Next()
		}
	}
	s.Use("/anonymous", as(0))
	s.Use("/member", as(caller))
	s.Use(consistencyhttp.Handler(s.memory, func(written consistency.Written) { s.published = append(s.published, written) }))
	s.Get("/member/after", func(c *fiber.Ctx) error { return c.SendString(consistency.After(c.UserContext()).String()) })
	s.Get("/anonymous/after", func(c *fiber.Ctx) error { return c.SendString(consistency.After(c.UserContext()).String()) })
	s.Post("/member/write", func(c *fiber.Ctx) error {
		// A handler may put a context of its own in the place of the request's.
		ctx, cancel := context.WithCancel(c.UserContext())
		defer cancel()
		c.SetUserContext(ctx)
		consistency.Wrote(ctx, 300)
		return c.SendStatus(http.StatusCreated)
	})
	s.Post("/member/lost", func(c *fiber.Ctx) error {
		consistency.Wrote(c.UserContext(), 400)
		return fault.New(fault.OutcomeUnknown, "Look.", nil)
	})
	s.Post("/anonymous/login", func(c *fiber.Ctx) error {
		consistency.Concern(c.UserContext(), 7, 8)
		consistency.Wrote(c.UserContext(), 500)
		return nil
	})
	s.Post("/anonymous/write", func(c *fiber.Ctx) error {
		consistency.Wrote(c.UserContext(), 600)
		return nil
	})
	s.Post("/member/nothing", func(c *fiber.Ctx) error {
		consistency.Concern(c.UserContext(), 7)
		return nil
	})
	return s
}

func (s *service) ask(t *testing.T, method, path string, tokens ...string) (http.Header, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	request.Header[consistency.Header] = tokens
	answer, err := s.Test(request, -1)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.Header, string(body)
}

func TestARequestSeesTheLaterOfWhatItBearsAndWhatIsRemembered(t *testing.T) {
	t.Parallel()
	service := newService()
	for _, test := range []struct {
		path string
		sent []string
		want string
	}{
		{"/member/after", nil, "100"},
		{"/member/after", []string{"99"}, "100"},
		{"/member/after", []string{"200"}, "200"},
		{"/member/after", []string{"garbage"}, "100"},
		{"/member/after", []string{"-5"}, "100"},
		{"/member/after", []string{"9223372036854775807"}, "9223372036854775807"},
		{"/member/after", []string{"150", "120"}, "150"},
		{"/member/after", []string{"120", "150"}, "150"},
		{"/anonymous/after", nil, "0"},
		{"/anonymous/after", []string{"150"}, "150"},
	} {
		header, body := service.ask(t, http.MethodGet, test.path, test.sent...)
		require.Equal(t, test.want, body, test)
		require.NotContains(t, header, consistency.Header, "it wrote nothing")
	}
	require.Empty(t, service.published)
	require.Equal(t, consistency.Token(100), service.memory.Of(caller), "what a client sends is not remembered")
}

func TestWhatARequestWroteIsToldRememberedAndPublished(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]consistency.Written{
		"/member/write":    {MemberIDs: []uint64{caller}, Token: 300},
		"/member/lost":     {MemberIDs: []uint64{caller}, Token: 400}, // it may have happened
		"/anonymous/login": {MemberIDs: []uint64{7, 8}, Token: 500},
	} {
		service := newService()
		header, _ := service.ask(t, http.MethodPost, path, "9000")
		require.Equal(t, want.Token.String(), header.Get(consistency.Header), "the client's own is not told back to it")
		require.Equal(t, []consistency.Written{want}, service.published, path)
		for _, id := range want.MemberIDs {
			require.Equal(t, want.Token, service.memory.Of(id), path)
		}
		read := answered(0, header.Get(consistency.Header), header.Get(consistency.HeaderConcerned))
		require.Equal(t, want, consistency.Written{MemberIDs: read.MemberIDs[1:], Token: read.Token}, "the gateway reads the same")
	}
}

func TestWhatConcernsNobodyIsToldOnly(t *testing.T) {
	t.Parallel()
	service := newService()
	header, _ := service.ask(t, http.MethodPost, "/anonymous/write")
	require.Equal(t, "600", header.Get(consistency.Header))
	require.NotContains(t, header, consistency.HeaderConcerned)
	header, _ = service.ask(t, http.MethodPost, "/member/nothing")
	require.NotContains(t, header, consistency.Header)
	require.NotContains(t, header, consistency.HeaderConcerned)
	require.Empty(t, service.published)
}

func TestAnAnswerOfAServiceIsReadWhateverItSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		token, concerned string
		want             consistency.Written
	}{
		{"50", "", consistency.Written{MemberIDs: []uint64{caller}, Token: 50}},
		{"50", "x,,-1,9", consistency.Written{MemberIDs: []uint64{caller, 9}, Token: 50}},
		{"garbage", "9", consistency.Written{MemberIDs: []uint64{caller, 9}}},
		{"", "", consistency.Written{MemberIDs: []uint64{caller}}},
	} {
		require.Equal(t, test.want, answered(caller, test.token, test.concerned), test)
	}
}

// answered is what the gateway reads out of an answer.
func answered(callerID uint64, token, concerned string) consistency.Written {
	var header fasthttp.ResponseHeader
	header.Set(consistency.Header, token)
	header.Set(consistency.HeaderConcerned, concerned)
	return consistencyhttp.Answered(callerID, &header)
}

package client

import (
	"context"
	"iter"

	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

// Grant returns the tokens that the client goes on with, and false without a session. A program that is to go on with the session later
// keeps them, and gives them to Resume.
func (c *Client) Grant() (api.Grant, bool) {
	grant := c.grant.Load()
	if grant == nil {
		return api.Grant{}, false
	}
	return *grant, true
}

// Resume goes on with a session. Without a refresh token it lasts as long as its token.
func (c *Client) Resume(grant api.Grant) { c.grant.Store(&grant) }

// SignUp makes a member, and goes on in its first session.
func (c *Client) SignUp(ctx context.Context, member api.NewMember, params *api.SignUpParams) (*Member, error) {
	asked := valueOf(params)
	asked.IdempotencyKey = keyed(asked.IdempotencyKey)
	login, meta, err := read[api.Login](c.open.SignUp(ctx, &asked, member))
	if err != nil {
		return nil, err
	}
	return c.begin(login, meta), nil
}

// LogIn goes on in a new session.
func (c *Client) LogIn(ctx context.Context, credentials api.Credentials) (*Member, error) {
	login, meta, err := read[api.Login](c.open.LogIn(ctx, credentials))
	if err != nil {
		return nil, err
	}
	return c.begin(login, meta), nil
}

func (c *Client) begin(login api.Login, meta Meta) *Member {
	c.Resume(api.Grant{
		Token: login.Token, Expiry: login.Expiry, RefreshToken: login.RefreshToken, RefreshExpiry: login.RefreshExpiry,
	})
	return &Member{Member: login.User, Meta: meta}
}

// Refresh gets new tokens for the session. It is needed only for what a new token alone shows, such as the rights of a new admin.
func (c *Client) Refresh(ctx context.Context) error {
	grant := c.grant.Load()
	if grant == nil || grant.RefreshToken == "" {
		return &Error{Code: fault.Unauthenticated, Detail: "The client has no refresh token."}
	}
	return c.renew(ctx, grant)
}

// renew replaces the tokens that were shown, unless somebody has done so. Whoever asks for it meanwhile shares one refresh, which goes on
// if the first of them gives up. Tokens are kept when a refresh fails, so that a later one can be tried, unless they are refused.
func (c *Client) renew(ctx context.Context, shown *api.Grant) error {
	result := c.refreshes.DoChan(shown.RefreshToken, func() (any, error) {
		if c.grant.Load() != shown {
			return nil, nil
		}
		next, _, err := read[api.Grant](c.refreshing.Refresh(context.WithoutCancel(ctx), api.RefreshRequest{RefreshToken: shown.RefreshToken}))
		switch {
		case err == nil:
			c.grant.CompareAndSwap(shown, &next)
		case codeOf(err) == fault.Unauthenticated:
			c.grant.CompareAndSwap(shown, &api.Grant{Token: shown.Token, Expiry: shown.Expiry})
		}
		return nil, err
	})
	select {
	case done := <-result:
		return done.Err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// LogOut ends the session. One that is over already is no error.
func (c *Client) LogOut(ctx context.Context) error {
	if err := done(c.inSession.LogOut(ctx)); err != nil && codeOf(err) != fault.Unauthenticated {
		return err
	}
	c.grant.Store(nil)
	return nil
}

// LogOutEverywhere ends all sessions of the member.
func (c *Client) LogOutEverywhere(ctx context.Context) error {
	if err := done(c.inSession.LogOutEverywhere(ctx)); err != nil {
		return err
	}
	c.grant.Store(nil)
	return nil
}

// ListSessions returns a page of the sessions that have not ended.
func (c *Client) ListSessions(ctx context.Context, params *api.ListSessionsParams) (*Page[api.Session], error) {
	return pageOf[api.Session](c.inSession.ListSessions(ctx, params))
}

// Sessions walks all sessions that have not ended.
func (c *Client) Sessions(ctx context.Context, params *api.ListSessionsParams) iter.Seq2[api.Session, error] {
	return walk(params, func(asked *api.ListSessionsParams, cursor string) (*Page[api.Session], error) {
		asked.Cursor, asked.Offset, asked.Limit = &cursor, nil, limitOf(asked.Limit)
		return c.ListSessions(ctx, asked)
	})
}

// EndSession ends one session.
func (c *Client) EndSession(ctx context.Context, id api.ID) error {
	return done(c.inSession.EndSession(ctx, id))
}

// GetKeys returns the keys by which others can check tokens.
func (c *Client) GetKeys(ctx context.Context) (*api.KeySet, error) {
	keys, _, err := read[api.KeySet](c.open.GetKeys(ctx))
	if err != nil {
		return nil, err
	}
	return &keys, nil
}

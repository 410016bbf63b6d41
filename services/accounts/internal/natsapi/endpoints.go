// Package natsapi is the accounts service's face on NATS: what it answers, what it asks the orders service, and what it
// publishes. It converts between messages (libs/contracts) and the domain, and decides nothing. It knows no HTTP and no
// SQL.
package natsapi

import (
	"context"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/natsx"
)

// Endpoints returns what the service answers over NATS.
func Endpoints(service *account.Service) []natsx.Endpoint {
	return []natsx.Endpoint{
		natsx.NewEndpoint("exists", accounts.SubjectExists,
			func(ctx context.Context, request accounts.ExistsRequest) (accounts.ExistsReply, error) {
				member, exists, err := service.CurrentMember(ctx, request.MemberID)
				return accounts.ExistsReply{Exists: exists, Active: member.Active, Admin: member.Admin}, err
			}),
		natsx.NewEndpoint("match", accounts.SubjectMatch,
			func(ctx context.Context, request accounts.MatchRequest) (accounts.MatchReply, error) {
				if len(request.Terms) > listing.MaxTerms {
					return accounts.MatchReply{}, fault.New(fault.Malformed, "Too many terms.", nil)
				}
				ctx = consistency.Into(ctx, consistency.Token(request.After))
				ids, truncated, err := service.Match(ctx, request.Terms, request.Among)
				return accounts.MatchReply{MemberIDs: ids, Truncated: truncated}, err
			}),
		natsx.NewEndpoint("imported", accounts.SubjectImported,
			func(ctx context.Context, request accounts.ImportedRequest) (accounts.ImportedReply, error) {
				if len(request.MemberIDs) > accounts.MaxImported {
					return accounts.ImportedReply{}, fault.New(fault.Malformed, "Too many members.", nil)
				}
				ids, err := service.ImportedMembers(ctx, request.MemberIDs)
				return accounts.ImportedReply{MemberIDs: ids}, err
			}),
		natsx.NewEndpoint("seen", accounts.SubjectLastSeen,
			func(ctx context.Context, request accounts.LastSeenRequest) (accounts.LastSeenReply, error) {
				if len(request.Sessions) > accounts.MaxLastSeen {
					return accounts.LastSeenReply{}, fault.New(fault.Malformed, "Too many sessions.", nil)
				}
				seen := make([]account.LastSeen, len(request.Sessions))
				for i, session := range request.Sessions {
					seen[i] = account.LastSeen(session)
				}
				return accounts.LastSeenReply{}, service.MarkLastSeen(ctx, seen)
			}),
		natsx.NewEndpoint("credential", accounts.SubjectCredential,
			func(ctx context.Context, request accounts.CredentialRequest) (accounts.CredentialReply, error) {
				if request.Kind != accounts.CredentialKnox || len(request.Digest) != len(account.KnoxDigest{}) {
					return accounts.CredentialReply{}, fault.New(fault.Malformed, "There is no such kind of credential.", nil)
				}
				bearer, found, err := service.BearerOfKnoxToken(ctx, account.KnoxDigest(request.Digest))
				if err != nil || !found {
					return accounts.CredentialReply{}, err
				}
				return accounts.CredentialReply{
					Found: true, MemberID: bearer.MemberID, SessionID: bearer.SessionID, Admin: bearer.Admin,
					Scopes: []string{accounts.ScopeMember}, ExpiresAt: bearer.ExpiresAt,
				}, nil
			}),
	}
}

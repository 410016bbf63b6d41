package account

import (
	"context"
	"strings"

	"oms.internal/libs/authn"
)

// View is a member as one caller sees it.
type View struct {
	// Member has its email and phone masked where Masked is set. Its version is 0 for whoever may not change it: it counts changes
	// of what the caller does not see, too, such as the password.
	Member Member
	// Masked says that gender and last order are not for the caller.
	Masked bool
	// ForAdmin says that an admin sees the member, and so whether it is active, whether it is an admin, and since when it is
	// there.
	ForAdmin bool
	// LastOrder is the member's last order, nil for none. It means nothing where Masked or LastOrderUnknown is set.
	LastOrder *Order
	// LastOrderUnknown says that the orders service did not answer in time.
	LastOrderUnknown bool
}

// views shows members to a caller. All last orders come with one request.
func (s *Service) views(ctx context.Context, caller authn.Principal, members []Member) []View {
	views := make([]View, len(members))
	var wanted []uint64
	for i, member := range members {
		views[i] = View{Member: member, ForAdmin: caller.Admin}
		if !caller.Admin && caller.MemberID != member.ID {
			views[i].Member.Version = 0
		}
		if s.seesWhole(caller, member.ID) {
			wanted = append(wanted, member.ID)
		} else {
			views[i] = mask(member)
		}
	}
	orders, ok := s.lastOrders(ctx, wanted)
	for i := range views {
		views[i].LastOrderUnknown = !ok && !views[i].Masked
		if order, found := orders[views[i].Member.ID]; found {
			views[i].LastOrder = &order
		}
	}
	return views
}

func (s *Service) view(ctx context.Context, caller authn.Principal, member Member) View {
	return s.views(ctx, caller, []Member{member})[0]
}

func (s *Service) seesWhole(caller authn.Principal, memberID uint64) bool {
	return s.seesAll(caller) || caller.MemberID == memberID
}

// sees reports whether the caller may know that the member exists.
func (s *Service) sees(caller authn.Principal, memberID uint64) bool {
	return s.deps.Directory != DirectoryAdmin || s.seesWhole(caller, memberID)
}

func mask(member Member) View {
	masked := Member{ID: member.ID, Name: member.Name, Nickname: member.Nickname}
	masked.Email = maskEmail(member.Email)
	masked.Phone = maskPhone(member.Phone)
	return View{Member: masked, Masked: true}
}

// maskEmail leaves the first character and the domain. The number of asterisks is fixed: the length tells something.
func maskEmail(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 1 {
		return "***"
	}
	first := []rune(email)[0]
	return string(first) + "***" + email[at:]
}

// maskPhone leaves the last two digits.
func maskPhone(phone string) string {
	return "***" + phone[max(0, len(phone)-2):]
}

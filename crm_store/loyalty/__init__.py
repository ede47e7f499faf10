"""The customers' club: points, tiers, rewards, referrals and raffles."""

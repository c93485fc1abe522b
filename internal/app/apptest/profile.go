package apptest

// UpdateProfile changes the viewer's profile, and gives the code of a refusal.
func (c *Client) UpdateProfile(profile Vars) Payload {
	return c.mutate(`mutation($i: UpdateMemberInput!) { result: updateMember(input: $i) { userErrors { code message field retryAt } } }`,
		Vars{"profile": profile})
}

// SetPrivacy changes the viewer's privacy settings.
func (c *Client) SetPrivacy(settings Vars) Payload {
	return c.mutate(`mutation($i: UpdatePrivacySettingsInput!) { result: updatePrivacySettings(input: $i) { userErrors { code message field retryAt } } }`, settings)
}

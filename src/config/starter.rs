//! What `fairnotice init` writes.

/// A commented configuration with nothing tracked yet.
pub const STARTER: &str = r#"# fairnotice.toml: what is tracked, for whom, and how notices go out.
# Every key is explained in docs/workspace.md; `fairnotice config check` finds mistakes.

[organisation]
name = "Your organisation"          # the name users know; it stands in notices

# How sources are fetched.
[fetch]
# contact = "mailto:privacy@example.com"    # named in the User-Agent
# allow_addresses = ["127.0.0.0/8"]         # private networks are refused unless named here
# delay_milliseconds = 1000                 # between two requests to one host
# browser_fallback = true                   # draw pages that hold no text with an installed browser

# Notices to users of your own documents (side = "owner").
[notice]
house_lead_days = 30                # assumed where a promise says "in advance" without a number
# approvals = 2                     # two different people must approve
# languages = ["en", "zh"]
# time_zones = ["Pacific/Auckland", "America/Los_Angeles"]

[notice.defaults]
# contact = "privacy@example.com"
# choices = "You can close your account in Settings before that date."
# old_data = "The change concerns data collected from that date on."
# new_url = "https://example.com/privacy"

# [mail]
# from = "Your organisation <notices@example.com>"
# smtp = "smtp://user@relay.example.com:587"    # the password: FAIRNOTICE_SMTP_PASSWORD

# Alerts to your own team.
# [alerts.legal]
# kind = "email"                    # email, webhook, slack, teams, atom, jsonfeed, markdown, command
# to = ["legal@example.com"]
# at_least = "substantive"

# [snapshots]
# git = true                        # commit each version

# One table for each document; `fairnotice add URL --id ID` writes them.
# [[document]]
# id = "privacy"
# source = "https://example.com/privacy"
# side = "owner"                    # owner: notices are drafted; watcher: the team is alerted
# kind = "privacy"                  # privacy, consumer-terms, platform-terms, payment, telecom, health
# jurisdictions = ["eu", "us-ca"]   # law packs; see `fairnotice law list`
"#;

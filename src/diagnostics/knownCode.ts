import { errorCode } from '../oauth/errorResponse.ts';

/** The codes that this extension gives to failures; a test holds the list to the source. */
const ownCodes: ReadonlySet<string> = new Set([
  // Discovery and metadata.
  ...['server_url_empty', 'server_url_no_scheme', 'server_url_invalid', 'server_url_credentials'],
  ...['server_url_insecure', 'server_url_fragment', 'server_url_query', 'server_url_sse', 'server_url_trailing_slash'],
  ...['no_resource', 'no_resource_metadata', 'resource_mismatch', 'no_authorization_servers', 'no_mcp_endpoint'],
  ...['no_server_metadata', 'no_issuer', 'bad_issuer', 'issuer_mismatch', 'issuer_missing', 'no_pkce_s256'],
  ...['no_authorization_endpoint', 'bad_authorization_endpoint', 'no_token_endpoint', 'bad_token_endpoint'],
  ...['bad_registration_endpoint', 'bad_revocation_endpoint', 'no_revocation_endpoint'],
  // Registration, authorization and tokens.
  ...['no_registration', 'no_client_id', 'no_client_secret', 'unknown_auth_method'],
  ...['no_channel', 'hosts_declined', 'browser_limit', 'browser_not_opened', 'cancelled'],
  ...['no_code', 'duplicate_parameter', 'state_mismatch', 'not_a_code_response'],
  ...['no_access_token', 'no_token_type', 'unknown_token_type', 'no_refresh_token', 'not_json', 'html'],
  ...['unregistered_error', 'nothing_sent', 'rpc_error', 'no_reply', 'no_result', 'no_identity'],
  // The life of a grant.
  ...['ended', 'ending', 'waiting', 'unconfirmed', 'signed_out'],
  ...['disk', 'locked', 'lock_lost', 'not_stored', 'read_only', 'stale_window'],
  // The network.
  ...['unreachable', 'timeout', 'certificate', 'proxy', 'too_large', 'redirected', 'insecure', 'private_address'],
]);

/** A failure's code where it is one of ours or of OAuth's, else `other`: a server's own words never get through. */
export function knownCode(code: string): string {
  return ownCodes.has(code) || errorCode(code) === code || /^http_[1-5]\d\d$/.test(code) ? code : 'other';
}

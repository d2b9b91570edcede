/** Every name that NAT documents of its sessions and of its execution store; arguments stand in parentheses. */

const members = (owner: string, names: string): string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `${owner}.${name}`);
const parameters = (owner: string, names: string): string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `${owner}(${name})`);

export const documented: readonly string[] = [
  'nat.runtime.session.logger',
  'PerUserBuilderInfo',
  ...members(
    'PerUserBuilderInfo',
    `model_config builder workflow semaphore last_activity ref_count lock created_at total_requests error_count
     total_latency_ms record_request`,
  ),
  'Session',
  ...parameters('Session', 'session_manager workflow semaphore user_id'),
  ...members('Session', '_session_manager _workflow _semaphore _user_id user_id workflow session_manager run'),
  ...parameters('Session.run', 'message runtime_type parent_id parent_name'),
  'SessionManager',
  ...parameters('SessionManager', 'config shared_builder entry_function shared_workflow max_concurrency runtime_type'),
  ...members(
    'SessionManager',
    `_config _max_concurrency _entry_function _runtime_type _context_state _context _is_workflow_per_user _shared_builder
     _shared_workflow _per_user_builders _per_user_builders_lock _per_user_builders_cleanup_task
     _per_user_session_timeout _per_user_session_cleanup_interval _shutdown_event config workflow shared_builder
     is_workflow_per_user get_workflow_input_schema get_workflow_single_output_schema
     get_workflow_streaming_output_schema create _run_periodic_cleanup _cleanup_inactive_per_user_builders
     _get_user_id_from_context _get_or_create_per_user_builder session run shutdown set_metadata_from_http_request
     set_metadata_from_websocket`,
  ),
  ...parameters(
    'SessionManager.session',
    `user_id user_manager http_connection user_message_id conversation_id user_input_callback
     user_authentication_callback`,
  ),
  ...parameters('SessionManager.run', 'message runtime_type'),
  ...parameters('SessionManager.set_metadata_from_http_request', 'request'),
  ...parameters(
    'SessionManager.set_metadata_from_websocket',
    'websocket user_message_id conversation_id pre_parsed_cookies',
  ),
  'nat.front_ends.fastapi.execution_store.logger',
  'DEFAULT_EXECUTION_TTL',
  'PendingInteraction',
  ...members('PendingInteraction', 'interaction_id prompt future created_at'),
  'PendingOAuth',
  ...members('PendingOAuth', 'auth_url oauth_state created_at'),
  'ExecutionRecord',
  ...members(
    'ExecutionRecord',
    `execution_id status task result error pending_interaction pending_oauth first_outcome created_at completed_at`,
  ),
  'ExecutionStore',
  ...parameters('ExecutionStore', 'ttl_seconds'),
  ...members(
    'ExecutionStore',
    `_executions _lock _ttl_seconds create_execution get set_interaction_required set_oauth_required set_running
     set_completed set_failed resolve_interaction cleanup_expired remove`,
  ),
  ...parameters('ExecutionStore.set_interaction_required', 'interaction_id'),
];

"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from longmen.accounts.v1 import accounts_service_pb2
from longmen.admin.v1 import admin_service_pb2
from longmen.audit.v1 import audit_service_pb2
from longmen.credentials.v1 import credentials_service_pb2
from longmen.events.v1 import events_service_pb2
from longmen.fx.v1 import (
    conversions_service_pb2,
    limit_orders_service_pb2,
    positions_service_pb2,
    rates_service_pb2,
)
from longmen.identity.v1 import (
    challenge_service_pb2,
    device_service_pb2,
    email_service_pb2,
    factor_reset_service_pb2,
    factor_service_pb2,
    kyc_service_pb2,
    profile_service_pb2,
    registration_service_pb2,
    session_service_pb2,
)
from longmen.ledger.v1 import ledger_service_pb2
from longmen.limits.v1 import limits_service_pb2
from longmen.merchants.v1 import (
    cashiers_service_pb2,
    merchants_service_pb2,
    payouts_service_pb2,
    plans_service_pb2,
    settlements_service_pb2,
    shifts_service_pb2,
    stores_service_pb2,
    webhooks_service_pb2,
)
from longmen.payments.v1 import (
    authorizations_service_pb2,
    bills_service_pb2,
    combined_service_pb2,
    donations_service_pb2,
    mandates_service_pb2,
    offline_service_pb2,
    payer_codes_service_pb2,
    payments_service_pb2,
    sharing_service_pb2,
)
from longmen.risk.v1 import (
    cases_service_pb2,
    lists_service_pb2,
    risk_service_pb2,
    rules_service_pb2,
)
from longmen.staff.v1 import (
    approvals_service_pb2,
    staff_accounts_service_pb2,
    staff_service_pb2,
    staff_sessions_service_pb2,
)
from longmen.transfers.v1 import transfers_service_pb2
from longmen_client._methods import Method, method

ACCOUNTS_OPEN_WALLET: Method[
    accounts_service_pb2.OpenWalletRequest, accounts_service_pb2.OpenWalletResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "OpenWallet")
ACCOUNTS_GET_WALLET: Method[
    accounts_service_pb2.GetWalletRequest, accounts_service_pb2.GetWalletResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "GetWallet")
ACCOUNTS_OPEN_ACCOUNT: Method[
    accounts_service_pb2.OpenAccountRequest, accounts_service_pb2.OpenAccountResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "OpenAccount")
ACCOUNTS_GET_ACCOUNT: Method[
    accounts_service_pb2.GetAccountRequest, accounts_service_pb2.GetAccountResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "GetAccount")
ACCOUNTS_LIST_ACCOUNTS: Method[
    accounts_service_pb2.ListAccountsRequest, accounts_service_pb2.ListAccountsResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "ListAccounts")
ACCOUNTS_GET_BALANCE: Method[
    accounts_service_pb2.GetBalanceRequest, accounts_service_pb2.GetBalanceResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "GetBalance")
ACCOUNTS_LIST_TRANSACTIONS: Method[
    accounts_service_pb2.ListTransactionsRequest, accounts_service_pb2.ListTransactionsResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "ListTransactions")
ACCOUNTS_GET_STATEMENT: Method[
    accounts_service_pb2.GetStatementRequest, accounts_service_pb2.GetStatementResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "GetStatement")
ACCOUNTS_FREEZE_ACCOUNT: Method[
    accounts_service_pb2.FreezeAccountRequest, accounts_service_pb2.FreezeAccountResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "FreezeAccount")
ACCOUNTS_UNFREEZE_ACCOUNT: Method[
    accounts_service_pb2.UnfreezeAccountRequest, accounts_service_pb2.UnfreezeAccountResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "UnfreezeAccount")
ACCOUNTS_CLOSE_ACCOUNT: Method[
    accounts_service_pb2.CloseAccountRequest, accounts_service_pb2.CloseAccountResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "CloseAccount")
ACCOUNTS_WATCH_BALANCE: Method[
    accounts_service_pb2.WatchBalanceRequest, accounts_service_pb2.WatchBalanceResponse
] = method(accounts_service_pb2.DESCRIPTOR, "AccountsService", "WatchBalance")

ADMIN_SET_CLOCK: Method[admin_service_pb2.SetClockRequest, admin_service_pb2.SetClockResponse] = (
    method(admin_service_pb2.DESCRIPTOR, "AdminService", "SetClock")
)
ADMIN_GET_CLOCK: Method[admin_service_pb2.GetClockRequest, admin_service_pb2.GetClockResponse] = (
    method(admin_service_pb2.DESCRIPTOR, "AdminService", "GetClock")
)
ADMIN_GET_LIMITS: Method[
    admin_service_pb2.GetLimitsRequest, admin_service_pb2.GetLimitsResponse
] = method(admin_service_pb2.DESCRIPTOR, "AdminService", "GetLimits")
ADMIN_GET_CONFIG: Method[
    admin_service_pb2.GetConfigRequest, admin_service_pb2.GetConfigResponse
] = method(admin_service_pb2.DESCRIPTOR, "AdminService", "GetConfig")
ADMIN_GET_ENGINE_STATS: Method[
    admin_service_pb2.GetEngineStatsRequest, admin_service_pb2.GetEngineStatsResponse
] = method(admin_service_pb2.DESCRIPTOR, "AdminService", "GetEngineStats")
ADMIN_VERIFY_LEDGER: Method[
    admin_service_pb2.VerifyLedgerRequest, admin_service_pb2.VerifyLedgerResponse
] = method(admin_service_pb2.DESCRIPTOR, "AdminService", "VerifyLedger")

APPROVALS_PROPOSE_APPROVAL: Method[
    approvals_service_pb2.ProposeApprovalRequest, approvals_service_pb2.ProposeApprovalResponse
] = method(approvals_service_pb2.DESCRIPTOR, "ApprovalsService", "ProposeApproval")
APPROVALS_GET_APPROVAL: Method[
    approvals_service_pb2.GetApprovalRequest, approvals_service_pb2.GetApprovalResponse
] = method(approvals_service_pb2.DESCRIPTOR, "ApprovalsService", "GetApproval")
APPROVALS_LIST_APPROVALS: Method[
    approvals_service_pb2.ListApprovalsRequest, approvals_service_pb2.ListApprovalsResponse
] = method(approvals_service_pb2.DESCRIPTOR, "ApprovalsService", "ListApprovals")
APPROVALS_APPROVE_APPROVAL: Method[
    approvals_service_pb2.ApproveApprovalRequest, approvals_service_pb2.ApproveApprovalResponse
] = method(approvals_service_pb2.DESCRIPTOR, "ApprovalsService", "ApproveApproval")
APPROVALS_REJECT_APPROVAL: Method[
    approvals_service_pb2.RejectApprovalRequest, approvals_service_pb2.RejectApprovalResponse
] = method(approvals_service_pb2.DESCRIPTOR, "ApprovalsService", "RejectApproval")
APPROVALS_CANCEL_APPROVAL: Method[
    approvals_service_pb2.CancelApprovalRequest, approvals_service_pb2.CancelApprovalResponse
] = method(approvals_service_pb2.DESCRIPTOR, "ApprovalsService", "CancelApproval")

AUDIT_LIST_AUDIT: Method[
    audit_service_pb2.ListAuditRequest, audit_service_pb2.ListAuditResponse
] = method(audit_service_pb2.DESCRIPTOR, "AuditService", "ListAudit")
AUDIT_EXPORT_AUDIT: Method[
    audit_service_pb2.ExportAuditRequest, audit_service_pb2.ExportAuditResponse
] = method(audit_service_pb2.DESCRIPTOR, "AuditService", "ExportAudit")

CHALLENGES_GET_CHALLENGE: Method[
    challenge_service_pb2.GetChallengeRequest, challenge_service_pb2.GetChallengeResponse
] = method(challenge_service_pb2.DESCRIPTOR, "ChallengesService", "GetChallenge")
CHALLENGES_APPROVE_CHALLENGE: Method[
    challenge_service_pb2.ApproveChallengeRequest, challenge_service_pb2.ApproveChallengeResponse
] = method(challenge_service_pb2.DESCRIPTOR, "ChallengesService", "ApproveChallenge")
CHALLENGES_SEND_CHALLENGE_CODE: Method[
    challenge_service_pb2.SendChallengeCodeRequest, challenge_service_pb2.SendChallengeCodeResponse
] = method(challenge_service_pb2.DESCRIPTOR, "ChallengesService", "SendChallengeCode")
CHALLENGES_DECLINE_CHALLENGE: Method[
    challenge_service_pb2.DeclineChallengeRequest, challenge_service_pb2.DeclineChallengeResponse
] = method(challenge_service_pb2.DESCRIPTOR, "ChallengesService", "DeclineChallenge")

CREDENTIALS_CREATE_KEY: Method[
    credentials_service_pb2.CreateKeyRequest, credentials_service_pb2.CreateKeyResponse
] = method(credentials_service_pb2.DESCRIPTOR, "CredentialsService", "CreateKey")
CREDENTIALS_CLAIM_KEY: Method[
    credentials_service_pb2.ClaimKeyRequest, credentials_service_pb2.ClaimKeyResponse
] = method(credentials_service_pb2.DESCRIPTOR, "CredentialsService", "ClaimKey")
CREDENTIALS_LIST_KEYS: Method[
    credentials_service_pb2.ListKeysRequest, credentials_service_pb2.ListKeysResponse
] = method(credentials_service_pb2.DESCRIPTOR, "CredentialsService", "ListKeys")
CREDENTIALS_REVOKE_KEY: Method[
    credentials_service_pb2.RevokeKeyRequest, credentials_service_pb2.RevokeKeyResponse
] = method(credentials_service_pb2.DESCRIPTOR, "CredentialsService", "RevokeKey")
CREDENTIALS_ROTATE_KEY: Method[
    credentials_service_pb2.RotateKeyRequest, credentials_service_pb2.RotateKeyResponse
] = method(credentials_service_pb2.DESCRIPTOR, "CredentialsService", "RotateKey")
CREDENTIALS_REGISTER_SIGNING_KEY: Method[
    credentials_service_pb2.RegisterSigningKeyRequest,
    credentials_service_pb2.RegisterSigningKeyResponse,
] = method(credentials_service_pb2.DESCRIPTOR, "CredentialsService", "RegisterSigningKey")
CREDENTIALS_REGISTER_CERTIFICATE: Method[
    credentials_service_pb2.RegisterCertificateRequest,
    credentials_service_pb2.RegisterCertificateResponse,
] = method(credentials_service_pb2.DESCRIPTOR, "CredentialsService", "RegisterCertificate")

DEVICES_START_DEVICE_ENROLMENT: Method[
    device_service_pb2.StartDeviceEnrolmentRequest, device_service_pb2.StartDeviceEnrolmentResponse
] = method(device_service_pb2.DESCRIPTOR, "DevicesService", "StartDeviceEnrolment")
DEVICES_COMPLETE_DEVICE_ENROLMENT: Method[
    device_service_pb2.CompleteDeviceEnrolmentRequest,
    device_service_pb2.CompleteDeviceEnrolmentResponse,
] = method(device_service_pb2.DESCRIPTOR, "DevicesService", "CompleteDeviceEnrolment")
DEVICES_LIST_DEVICES: Method[
    device_service_pb2.ListDevicesRequest, device_service_pb2.ListDevicesResponse
] = method(device_service_pb2.DESCRIPTOR, "DevicesService", "ListDevices")
DEVICES_REVOKE_DEVICE: Method[
    device_service_pb2.RevokeDeviceRequest, device_service_pb2.RevokeDeviceResponse
] = method(device_service_pb2.DESCRIPTOR, "DevicesService", "RevokeDevice")

EMAILS_START_EMAIL_PROOF: Method[
    email_service_pb2.StartEmailProofRequest, email_service_pb2.StartEmailProofResponse
] = method(email_service_pb2.DESCRIPTOR, "EmailsService", "StartEmailProof")
EMAILS_CONFIRM_EMAIL: Method[
    email_service_pb2.ConfirmEmailRequest, email_service_pb2.ConfirmEmailResponse
] = method(email_service_pb2.DESCRIPTOR, "EmailsService", "ConfirmEmail")

EVENTS_LIST_EVENTS: Method[
    events_service_pb2.ListEventsRequest, events_service_pb2.ListEventsResponse
] = method(events_service_pb2.DESCRIPTOR, "EventsService", "ListEvents")
EVENTS_WATCH_EVENTS: Method[
    events_service_pb2.WatchEventsRequest, events_service_pb2.WatchEventsResponse
] = method(events_service_pb2.DESCRIPTOR, "EventsService", "WatchEvents")

FACTOR_RESETS_RESET_FACTORS: Method[
    factor_reset_service_pb2.ResetFactorsRequest, factor_reset_service_pb2.ResetFactorsResponse
] = method(factor_reset_service_pb2.DESCRIPTOR, "FactorResetsService", "ResetFactors")
FACTOR_RESETS_GET_FACTOR_RESET: Method[
    factor_reset_service_pb2.GetFactorResetRequest, factor_reset_service_pb2.GetFactorResetResponse
] = method(factor_reset_service_pb2.DESCRIPTOR, "FactorResetsService", "GetFactorReset")
FACTOR_RESETS_CANCEL_FACTOR_RESET: Method[
    factor_reset_service_pb2.CancelFactorResetRequest,
    factor_reset_service_pb2.CancelFactorResetResponse,
] = method(factor_reset_service_pb2.DESCRIPTOR, "FactorResetsService", "CancelFactorReset")

FACTORS_SET_PASSWORD: Method[
    factor_service_pb2.SetPasswordRequest, factor_service_pb2.SetPasswordResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "SetPassword")
FACTORS_SET_PAYMENT_PIN: Method[
    factor_service_pb2.SetPaymentPinRequest, factor_service_pb2.SetPaymentPinResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "SetPaymentPin")
FACTORS_START_TOTP: Method[
    factor_service_pb2.StartTotpRequest, factor_service_pb2.StartTotpResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "StartTotp")
FACTORS_CONFIRM_TOTP: Method[
    factor_service_pb2.ConfirmTotpRequest, factor_service_pb2.ConfirmTotpResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "ConfirmTotp")
FACTORS_START_PASSKEY: Method[
    factor_service_pb2.StartPasskeyRequest, factor_service_pb2.StartPasskeyResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "StartPasskey")
FACTORS_CONFIRM_PASSKEY: Method[
    factor_service_pb2.ConfirmPasskeyRequest, factor_service_pb2.ConfirmPasskeyResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "ConfirmPasskey")
FACTORS_CREATE_BACKUP_CODES: Method[
    factor_service_pb2.CreateBackupCodesRequest, factor_service_pb2.CreateBackupCodesResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "CreateBackupCodes")
FACTORS_LIST_FACTORS: Method[
    factor_service_pb2.ListFactorsRequest, factor_service_pb2.ListFactorsResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "ListFactors")
FACTORS_REMOVE_FACTOR: Method[
    factor_service_pb2.RemoveFactorRequest, factor_service_pb2.RemoveFactorResponse
] = method(factor_service_pb2.DESCRIPTOR, "FactorsService", "RemoveFactor")

KYC_GET_KYC: Method[kyc_service_pb2.GetKycRequest, kyc_service_pb2.GetKycResponse] = method(
    kyc_service_pb2.DESCRIPTOR, "KycService", "GetKyc"
)
KYC_SUBMIT_EVIDENCE: Method[
    kyc_service_pb2.SubmitEvidenceRequest, kyc_service_pb2.SubmitEvidenceResponse
] = method(kyc_service_pb2.DESCRIPTOR, "KycService", "SubmitEvidence")
KYC_UPGRADE_KYC: Method[kyc_service_pb2.UpgradeKycRequest, kyc_service_pb2.UpgradeKycResponse] = (
    method(kyc_service_pb2.DESCRIPTOR, "KycService", "UpgradeKyc")
)
KYC_CONFIRM_IN_PERSON: Method[
    kyc_service_pb2.ConfirmInPersonRequest, kyc_service_pb2.ConfirmInPersonResponse
] = method(kyc_service_pb2.DESCRIPTOR, "KycService", "ConfirmInPerson")
KYC_DOWNGRADE_KYC: Method[
    kyc_service_pb2.DowngradeKycRequest, kyc_service_pb2.DowngradeKycResponse
] = method(kyc_service_pb2.DESCRIPTOR, "KycService", "DowngradeKyc")

LEDGER_CREATE_ACCOUNTS: Method[
    ledger_service_pb2.CreateAccountsRequest, ledger_service_pb2.CreateAccountsResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "CreateAccounts")
LEDGER_GET_ACCOUNT: Method[
    ledger_service_pb2.GetAccountRequest, ledger_service_pb2.GetAccountResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "GetAccount")
LEDGER_LIST_ACCOUNTS: Method[
    ledger_service_pb2.ListAccountsRequest, ledger_service_pb2.ListAccountsResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "ListAccounts")
LEDGER_CREATE_TRANSFERS: Method[
    ledger_service_pb2.CreateTransfersRequest, ledger_service_pb2.CreateTransfersResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "CreateTransfers")
LEDGER_CREATE_TRANSACTION: Method[
    ledger_service_pb2.CreateTransactionRequest, ledger_service_pb2.CreateTransactionResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "CreateTransaction")
LEDGER_CAPTURE_PENDING: Method[
    ledger_service_pb2.CapturePendingRequest, ledger_service_pb2.CapturePendingResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "CapturePending")
LEDGER_VOID_PENDING: Method[
    ledger_service_pb2.VoidPendingRequest, ledger_service_pb2.VoidPendingResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "VoidPending")
LEDGER_REVERSE_TRANSACTION: Method[
    ledger_service_pb2.ReverseTransactionRequest, ledger_service_pb2.ReverseTransactionResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "ReverseTransaction")
LEDGER_GET_TRANSACTION: Method[
    ledger_service_pb2.GetTransactionRequest, ledger_service_pb2.GetTransactionResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "GetTransaction")
LEDGER_LOOKUP_TRANSFERS: Method[
    ledger_service_pb2.LookupTransfersRequest, ledger_service_pb2.LookupTransfersResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "LookupTransfers")
LEDGER_LIST_TRANSACTIONS: Method[
    ledger_service_pb2.ListTransactionsRequest, ledger_service_pb2.ListTransactionsResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "ListTransactions")
LEDGER_LIST_ENTRIES: Method[
    ledger_service_pb2.ListEntriesRequest, ledger_service_pb2.ListEntriesResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "ListEntries")
LEDGER_GET_BALANCES: Method[
    ledger_service_pb2.GetBalancesRequest, ledger_service_pb2.GetBalancesResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "GetBalances")
LEDGER_GET_TRIAL_BALANCE: Method[
    ledger_service_pb2.GetTrialBalanceRequest, ledger_service_pb2.GetTrialBalanceResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "GetTrialBalance")
LEDGER_GET_RECEIPT: Method[
    ledger_service_pb2.GetReceiptRequest, ledger_service_pb2.GetReceiptResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "GetReceipt")
LEDGER_EXPORT_JOURNAL: Method[
    ledger_service_pb2.ExportJournalRequest, ledger_service_pb2.ExportJournalResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "ExportJournal")
LEDGER_SET_ACCOUNT_STATE: Method[
    ledger_service_pb2.SetAccountStateRequest, ledger_service_pb2.SetAccountStateResponse
] = method(ledger_service_pb2.DESCRIPTOR, "LedgerService", "SetAccountState")

MERCHANTS_CREATE_MERCHANT: Method[
    merchants_service_pb2.CreateMerchantRequest, merchants_service_pb2.CreateMerchantResponse
] = method(merchants_service_pb2.DESCRIPTOR, "MerchantsService", "CreateMerchant")
MERCHANTS_GET_MERCHANT: Method[
    merchants_service_pb2.GetMerchantRequest, merchants_service_pb2.GetMerchantResponse
] = method(merchants_service_pb2.DESCRIPTOR, "MerchantsService", "GetMerchant")
MERCHANTS_LIST_MERCHANTS: Method[
    merchants_service_pb2.ListMerchantsRequest, merchants_service_pb2.ListMerchantsResponse
] = method(merchants_service_pb2.DESCRIPTOR, "MerchantsService", "ListMerchants")
MERCHANTS_CREATE_TERMINAL: Method[
    merchants_service_pb2.CreateTerminalRequest, merchants_service_pb2.CreateTerminalResponse
] = method(merchants_service_pb2.DESCRIPTOR, "MerchantsService", "CreateTerminal")
MERCHANTS_GET_TERMINAL: Method[
    merchants_service_pb2.GetTerminalRequest, merchants_service_pb2.GetTerminalResponse
] = method(merchants_service_pb2.DESCRIPTOR, "MerchantsService", "GetTerminal")
MERCHANTS_LIST_TERMINALS: Method[
    merchants_service_pb2.ListTerminalsRequest, merchants_service_pb2.ListTerminalsResponse
] = method(merchants_service_pb2.DESCRIPTOR, "MerchantsService", "ListTerminals")
MERCHANTS_REPORT_TERMINAL: Method[
    merchants_service_pb2.ReportTerminalRequest, merchants_service_pb2.ReportTerminalResponse
] = method(merchants_service_pb2.DESCRIPTOR, "MerchantsService", "ReportTerminal")

STAFF_ACCOUNTS_CREATE_STAFF: Method[
    staff_accounts_service_pb2.CreateStaffRequest, staff_accounts_service_pb2.CreateStaffResponse
] = method(staff_accounts_service_pb2.DESCRIPTOR, "StaffAccountsService", "CreateStaff")
STAFF_ACCOUNTS_GRANT_STAFF: Method[
    staff_accounts_service_pb2.GrantStaffRequest, staff_accounts_service_pb2.GrantStaffResponse
] = method(staff_accounts_service_pb2.DESCRIPTOR, "StaffAccountsService", "GrantStaff")
STAFF_ACCOUNTS_RESET_STAFF: Method[
    staff_accounts_service_pb2.ResetStaffRequest, staff_accounts_service_pb2.ResetStaffResponse
] = method(staff_accounts_service_pb2.DESCRIPTOR, "StaffAccountsService", "ResetStaff")
STAFF_ACCOUNTS_SUSPEND_STAFF: Method[
    staff_accounts_service_pb2.SuspendStaffRequest, staff_accounts_service_pb2.SuspendStaffResponse
] = method(staff_accounts_service_pb2.DESCRIPTOR, "StaffAccountsService", "SuspendStaff")
STAFF_ACCOUNTS_LIST_STAFF: Method[
    staff_accounts_service_pb2.ListStaffRequest, staff_accounts_service_pb2.ListStaffResponse
] = method(staff_accounts_service_pb2.DESCRIPTOR, "StaffAccountsService", "ListStaff")

STAFF_UNLOCK_FACTORS: Method[
    staff_service_pb2.UnlockFactorsRequest, staff_service_pb2.UnlockFactorsResponse
] = method(staff_service_pb2.DESCRIPTOR, "StaffService", "UnlockFactors")
STAFF_ASSIGN_BRANCH: Method[
    staff_service_pb2.AssignBranchRequest, staff_service_pb2.AssignBranchResponse
] = method(staff_service_pb2.DESCRIPTOR, "StaffService", "AssignBranch")

STAFF_SESSIONS_START_STAFF_SIGN_IN: Method[
    staff_sessions_service_pb2.StartStaffSignInRequest,
    staff_sessions_service_pb2.StartStaffSignInResponse,
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "StartStaffSignIn")
STAFF_SESSIONS_ENROL_STAFF: Method[
    staff_sessions_service_pb2.EnrolStaffRequest, staff_sessions_service_pb2.EnrolStaffResponse
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "EnrolStaff")
STAFF_SESSIONS_CONFIRM_STAFF_ENROLMENT: Method[
    staff_sessions_service_pb2.ConfirmStaffEnrolmentRequest,
    staff_sessions_service_pb2.ConfirmStaffEnrolmentResponse,
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "ConfirmStaffEnrolment")
STAFF_SESSIONS_COMPLETE_STAFF_SIGN_IN: Method[
    staff_sessions_service_pb2.CompleteStaffSignInRequest,
    staff_sessions_service_pb2.CompleteStaffSignInResponse,
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "CompleteStaffSignIn")
STAFF_SESSIONS_RENEW_STAFF_SESSION: Method[
    staff_sessions_service_pb2.RenewStaffSessionRequest,
    staff_sessions_service_pb2.RenewStaffSessionResponse,
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "RenewStaffSession")
STAFF_SESSIONS_SIGN_OUT_STAFF: Method[
    staff_sessions_service_pb2.SignOutStaffRequest, staff_sessions_service_pb2.SignOutStaffResponse
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "SignOutStaff")
STAFF_SESSIONS_START_STAFF_PASSKEY: Method[
    staff_sessions_service_pb2.StartStaffPasskeyRequest,
    staff_sessions_service_pb2.StartStaffPasskeyResponse,
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "StartStaffPasskey")
STAFF_SESSIONS_CONFIRM_STAFF_PASSKEY: Method[
    staff_sessions_service_pb2.ConfirmStaffPasskeyRequest,
    staff_sessions_service_pb2.ConfirmStaffPasskeyResponse,
] = method(staff_sessions_service_pb2.DESCRIPTOR, "StaffSessionsService", "ConfirmStaffPasskey")

REGISTRATION_START_REGISTRATION: Method[
    registration_service_pb2.StartRegistrationRequest,
    registration_service_pb2.StartRegistrationResponse,
] = method(registration_service_pb2.DESCRIPTOR, "RegistrationService", "StartRegistration")
REGISTRATION_COMPLETE_REGISTRATION: Method[
    registration_service_pb2.CompleteRegistrationRequest,
    registration_service_pb2.CompleteRegistrationResponse,
] = method(registration_service_pb2.DESCRIPTOR, "RegistrationService", "CompleteRegistration")

SESSIONS_START_LOGIN: Method[
    session_service_pb2.StartLoginRequest, session_service_pb2.StartLoginResponse
] = method(session_service_pb2.DESCRIPTOR, "SessionsService", "StartLogin")
SESSIONS_COMPLETE_LOGIN: Method[
    session_service_pb2.CompleteLoginRequest, session_service_pb2.CompleteLoginResponse
] = method(session_service_pb2.DESCRIPTOR, "SessionsService", "CompleteLogin")
SESSIONS_REFRESH_SESSION: Method[
    session_service_pb2.RefreshSessionRequest, session_service_pb2.RefreshSessionResponse
] = method(session_service_pb2.DESCRIPTOR, "SessionsService", "RefreshSession")
SESSIONS_LIST_SESSIONS: Method[
    session_service_pb2.ListSessionsRequest, session_service_pb2.ListSessionsResponse
] = method(session_service_pb2.DESCRIPTOR, "SessionsService", "ListSessions")
SESSIONS_REVOKE_SESSION: Method[
    session_service_pb2.RevokeSessionRequest, session_service_pb2.RevokeSessionResponse
] = method(session_service_pb2.DESCRIPTOR, "SessionsService", "RevokeSession")
SESSIONS_REVOKE_ALL_SESSIONS: Method[
    session_service_pb2.RevokeAllSessionsRequest, session_service_pb2.RevokeAllSessionsResponse
] = method(session_service_pb2.DESCRIPTOR, "SessionsService", "RevokeAllSessions")

PAYER_CODES_ENROL_PAYER_CODE: Method[
    payer_codes_service_pb2.EnrolPayerCodeRequest, payer_codes_service_pb2.EnrolPayerCodeResponse
] = method(payer_codes_service_pb2.DESCRIPTOR, "PayerCodesService", "EnrolPayerCode")
PAYER_CODES_RENEW_PAYER_CODE: Method[
    payer_codes_service_pb2.RenewPayerCodeRequest, payer_codes_service_pb2.RenewPayerCodeResponse
] = method(payer_codes_service_pb2.DESCRIPTOR, "PayerCodesService", "RenewPayerCode")
PAYER_CODES_REVOKE_PAYER_CODE: Method[
    payer_codes_service_pb2.RevokePayerCodeRequest, payer_codes_service_pb2.RevokePayerCodeResponse
] = method(payer_codes_service_pb2.DESCRIPTOR, "PayerCodesService", "RevokePayerCode")
PAYER_CODES_GET_PAYER_CODE: Method[
    payer_codes_service_pb2.GetPayerCodeRequest, payer_codes_service_pb2.GetPayerCodeResponse
] = method(payer_codes_service_pb2.DESCRIPTOR, "PayerCodesService", "GetPayerCode")
PAYER_CODES_WATCH_PAYER_CODE: Method[
    payer_codes_service_pb2.WatchPayerCodeRequest, payer_codes_service_pb2.WatchPayerCodeResponse
] = method(payer_codes_service_pb2.DESCRIPTOR, "PayerCodesService", "WatchPayerCode")
PAYER_CODES_DECLINE_SCAN: Method[
    payer_codes_service_pb2.DeclineScanRequest, payer_codes_service_pb2.DeclineScanResponse
] = method(payer_codes_service_pb2.DESCRIPTOR, "PayerCodesService", "DeclineScan")

PAYMENTS_CREATE_ORDER: Method[
    payments_service_pb2.CreateOrderRequest, payments_service_pb2.CreateOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "CreateOrder")
PAYMENTS_GET_ORDER_CODE: Method[
    payments_service_pb2.GetOrderCodeRequest, payments_service_pb2.GetOrderCodeResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "GetOrderCode")
PAYMENTS_GET_STATIC_CODE: Method[
    payments_service_pb2.GetStaticCodeRequest, payments_service_pb2.GetStaticCodeResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "GetStaticCode")
PAYMENTS_GET_ORDER: Method[
    payments_service_pb2.GetOrderRequest, payments_service_pb2.GetOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "GetOrder")
PAYMENTS_LOOKUP_ORDER: Method[
    payments_service_pb2.LookupOrderRequest, payments_service_pb2.LookupOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "LookupOrder")
PAYMENTS_LIST_ORDERS: Method[
    payments_service_pb2.ListOrdersRequest, payments_service_pb2.ListOrdersResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "ListOrders")
PAYMENTS_WATCH_ORDER: Method[
    payments_service_pb2.WatchOrderRequest, payments_service_pb2.WatchOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "WatchOrder")
PAYMENTS_CLOSE_ORDER: Method[
    payments_service_pb2.CloseOrderRequest, payments_service_pb2.CloseOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "CloseOrder")
PAYMENTS_RESOLVE_ORDER: Method[
    payments_service_pb2.ResolveOrderRequest, payments_service_pb2.ResolveOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "ResolveOrder")
PAYMENTS_REVERSE_BY_TERMINAL_REF: Method[
    payments_service_pb2.ReverseByTerminalRefRequest,
    payments_service_pb2.ReverseByTerminalRefResponse,
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "ReverseByTerminalRef")
PAYMENTS_REFUND_ORDER: Method[
    payments_service_pb2.RefundOrderRequest, payments_service_pb2.RefundOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "RefundOrder")
PAYMENTS_LIST_REFUNDS: Method[
    payments_service_pb2.ListRefundsRequest, payments_service_pb2.ListRefundsResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "ListRefunds")
PAYMENTS_PAY_BY_CODE: Method[
    payments_service_pb2.PayByCodeRequest, payments_service_pb2.PayByCodeResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "PayByCode")
PAYMENTS_LIST_ATTEMPTS: Method[
    payments_service_pb2.ListAttemptsRequest, payments_service_pb2.ListAttemptsResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "ListAttempts")
PAYMENTS_PARSE_CODE: Method[
    payments_service_pb2.ParseCodeRequest, payments_service_pb2.ParseCodeResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "ParseCode")
PAYMENTS_PAY_ORDER: Method[
    payments_service_pb2.PayOrderRequest, payments_service_pb2.PayOrderResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "PayOrder")
PAYMENTS_PAY_STATIC_CODE: Method[
    payments_service_pb2.PayStaticCodeRequest, payments_service_pb2.PayStaticCodeResponse
] = method(payments_service_pb2.DESCRIPTOR, "PaymentsService", "PayStaticCode")

PROFILE_GET_PROFILE: Method[
    profile_service_pb2.GetProfileRequest, profile_service_pb2.GetProfileResponse
] = method(profile_service_pb2.DESCRIPTOR, "ProfileService", "GetProfile")
PROFILE_UPDATE_PROFILE: Method[
    profile_service_pb2.UpdateProfileRequest, profile_service_pb2.UpdateProfileResponse
] = method(profile_service_pb2.DESCRIPTOR, "ProfileService", "UpdateProfile")
PROFILE_EXPORT_MY_DATA: Method[
    profile_service_pb2.ExportMyDataRequest, profile_service_pb2.ExportMyDataResponse
] = method(profile_service_pb2.DESCRIPTOR, "ProfileService", "ExportMyData")
PROFILE_ERASE_CUSTOMER: Method[
    profile_service_pb2.EraseCustomerRequest, profile_service_pb2.EraseCustomerResponse
] = method(profile_service_pb2.DESCRIPTOR, "ProfileService", "EraseCustomer")

MANDATES_SIGN_MANDATE: Method[
    mandates_service_pb2.SignMandateRequest, mandates_service_pb2.SignMandateResponse
] = method(mandates_service_pb2.DESCRIPTOR, "MandatesService", "SignMandate")
MANDATES_GET_MANDATE: Method[
    mandates_service_pb2.GetMandateRequest, mandates_service_pb2.GetMandateResponse
] = method(mandates_service_pb2.DESCRIPTOR, "MandatesService", "GetMandate")
MANDATES_LIST_MANDATES: Method[
    mandates_service_pb2.ListMandatesRequest, mandates_service_pb2.ListMandatesResponse
] = method(mandates_service_pb2.DESCRIPTOR, "MandatesService", "ListMandates")
MANDATES_SET_MANDATE_STATE: Method[
    mandates_service_pb2.SetMandateStateRequest, mandates_service_pb2.SetMandateStateResponse
] = method(mandates_service_pb2.DESCRIPTOR, "MandatesService", "SetMandateState")
MANDATES_ANNOUNCE_CHARGE: Method[
    mandates_service_pb2.AnnounceChargeRequest, mandates_service_pb2.AnnounceChargeResponse
] = method(mandates_service_pb2.DESCRIPTOR, "MandatesService", "AnnounceCharge")
MANDATES_CHARGE_MANDATE: Method[
    mandates_service_pb2.ChargeMandateRequest, mandates_service_pb2.ChargeMandateResponse
] = method(mandates_service_pb2.DESCRIPTOR, "MandatesService", "ChargeMandate")

OFFLINE_REGISTER_TERMINAL_KEY: Method[
    offline_service_pb2.RegisterTerminalKeyRequest, offline_service_pb2.RegisterTerminalKeyResponse
] = method(offline_service_pb2.DESCRIPTOR, "OfflineService", "RegisterTerminalKey")
OFFLINE_REVOKE_TERMINAL_KEY: Method[
    offline_service_pb2.RevokeTerminalKeyRequest, offline_service_pb2.RevokeTerminalKeyResponse
] = method(offline_service_pb2.DESCRIPTOR, "OfflineService", "RevokeTerminalKey")
OFFLINE_GET_OFFLINE_TERMS: Method[
    offline_service_pb2.GetOfflineTermsRequest, offline_service_pb2.GetOfflineTermsResponse
] = method(offline_service_pb2.DESCRIPTOR, "OfflineService", "GetOfflineTerms")
OFFLINE_FORWARD_OFFLINE: Method[
    offline_service_pb2.ForwardOfflineRequest, offline_service_pb2.ForwardOfflineResponse
] = method(offline_service_pb2.DESCRIPTOR, "OfflineService", "ForwardOffline")
OFFLINE_LIST_OFFLINE_SALES: Method[
    offline_service_pb2.ListOfflineSalesRequest, offline_service_pb2.ListOfflineSalesResponse
] = method(offline_service_pb2.DESCRIPTOR, "OfflineService", "ListOfflineSales")
OFFLINE_SET_OFFLINE_ACCEPTANCE: Method[
    offline_service_pb2.SetOfflineAcceptanceRequest,
    offline_service_pb2.SetOfflineAcceptanceResponse,
] = method(offline_service_pb2.DESCRIPTOR, "OfflineService", "SetOfflineAcceptance")
OFFLINE_GET_OFFLINE_ACCEPTANCE: Method[
    offline_service_pb2.GetOfflineAcceptanceRequest,
    offline_service_pb2.GetOfflineAcceptanceResponse,
] = method(offline_service_pb2.DESCRIPTOR, "OfflineService", "GetOfflineAcceptance")

SHARING_ASK_RECEIVER: Method[
    sharing_service_pb2.AskReceiverRequest, sharing_service_pb2.AskReceiverResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "AskReceiver")
SHARING_CONFIRM_RECEIVER: Method[
    sharing_service_pb2.ConfirmReceiverRequest, sharing_service_pb2.ConfirmReceiverResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "ConfirmReceiver")
SHARING_REMOVE_RECEIVER: Method[
    sharing_service_pb2.RemoveReceiverRequest, sharing_service_pb2.RemoveReceiverResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "RemoveReceiver")
SHARING_LIST_RECEIVERS: Method[
    sharing_service_pb2.ListReceiversRequest, sharing_service_pb2.ListReceiversResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "ListReceivers")
SHARING_HOLD_SHARES: Method[
    sharing_service_pb2.HoldSharesRequest, sharing_service_pb2.HoldSharesResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "HoldShares")
SHARING_SHARE_ORDER: Method[
    sharing_service_pb2.ShareOrderRequest, sharing_service_pb2.ShareOrderResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "ShareOrder")
SHARING_RELEASE_SHARES: Method[
    sharing_service_pb2.ReleaseSharesRequest, sharing_service_pb2.ReleaseSharesResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "ReleaseShares")
SHARING_RETURN_SHARE: Method[
    sharing_service_pb2.ReturnShareRequest, sharing_service_pb2.ReturnShareResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "ReturnShare")
SHARING_GET_SHARING: Method[
    sharing_service_pb2.GetSharingRequest, sharing_service_pb2.GetSharingResponse
] = method(sharing_service_pb2.DESCRIPTOR, "SharingService", "GetSharing")

COMBINED_ORDERS_CREATE_COMBINED_ORDER: Method[
    combined_service_pb2.CreateCombinedOrderRequest,
    combined_service_pb2.CreateCombinedOrderResponse,
] = method(combined_service_pb2.DESCRIPTOR, "CombinedOrdersService", "CreateCombinedOrder")
COMBINED_ORDERS_GET_COMBINED_ORDER: Method[
    combined_service_pb2.GetCombinedOrderRequest, combined_service_pb2.GetCombinedOrderResponse
] = method(combined_service_pb2.DESCRIPTOR, "CombinedOrdersService", "GetCombinedOrder")
COMBINED_ORDERS_PAY_COMBINED_ORDER: Method[
    combined_service_pb2.PayCombinedOrderRequest, combined_service_pb2.PayCombinedOrderResponse
] = method(combined_service_pb2.DESCRIPTOR, "CombinedOrdersService", "PayCombinedOrder")

BILLS_CREATE_BILLER: Method[
    bills_service_pb2.CreateBillerRequest, bills_service_pb2.CreateBillerResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "CreateBiller")
BILLS_SET_BILLER_STATE: Method[
    bills_service_pb2.SetBillerStateRequest, bills_service_pb2.SetBillerStateResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "SetBillerState")
BILLS_LIST_BILLERS: Method[
    bills_service_pb2.ListBillersRequest, bills_service_pb2.ListBillersResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "ListBillers")
BILLS_SEND_DUES: Method[bills_service_pb2.SendDuesRequest, bills_service_pb2.SendDuesResponse] = (
    method(bills_service_pb2.DESCRIPTOR, "BillsService", "SendDues")
)
BILLS_CANCEL_DUE: Method[
    bills_service_pb2.CancelDueRequest, bills_service_pb2.CancelDueResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "CancelDue")
BILLS_LIST_DUES: Method[bills_service_pb2.ListDuesRequest, bills_service_pb2.ListDuesResponse] = (
    method(bills_service_pb2.DESCRIPTOR, "BillsService", "ListDues")
)
BILLS_FIND_DUES: Method[bills_service_pb2.FindDuesRequest, bills_service_pb2.FindDuesResponse] = (
    method(bills_service_pb2.DESCRIPTOR, "BillsService", "FindDues")
)
BILLS_PAY_DUE: Method[bills_service_pb2.PayDueRequest, bills_service_pb2.PayDueResponse] = method(
    bills_service_pb2.DESCRIPTOR, "BillsService", "PayDue"
)
BILLS_GET_BILL_RECEIPT: Method[
    bills_service_pb2.GetBillReceiptRequest, bills_service_pb2.GetBillReceiptResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "GetBillReceipt")
BILLS_LINK_BILL_ACCOUNT: Method[
    bills_service_pb2.LinkBillAccountRequest, bills_service_pb2.LinkBillAccountResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "LinkBillAccount")
BILLS_UNLINK_BILL_ACCOUNT: Method[
    bills_service_pb2.UnlinkBillAccountRequest, bills_service_pb2.UnlinkBillAccountResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "UnlinkBillAccount")
BILLS_LIST_BILL_REMINDERS: Method[
    bills_service_pb2.ListBillRemindersRequest, bills_service_pb2.ListBillRemindersResponse
] = method(bills_service_pb2.DESCRIPTOR, "BillsService", "ListBillReminders")

DONATIONS_DONATE: Method[
    donations_service_pb2.DonateRequest, donations_service_pb2.DonateResponse
] = method(donations_service_pb2.DESCRIPTOR, "DonationsService", "Donate")
DONATIONS_GET_DONATION: Method[
    donations_service_pb2.GetDonationRequest, donations_service_pb2.GetDonationResponse
] = method(donations_service_pb2.DESCRIPTOR, "DonationsService", "GetDonation")
DONATIONS_LIST_DONATIONS: Method[
    donations_service_pb2.ListDonationsRequest, donations_service_pb2.ListDonationsResponse
] = method(donations_service_pb2.DESCRIPTOR, "DonationsService", "ListDonations")
DONATIONS_GET_DONATION_SUMMARY: Method[
    donations_service_pb2.GetDonationSummaryRequest,
    donations_service_pb2.GetDonationSummaryResponse,
] = method(donations_service_pb2.DESCRIPTOR, "DonationsService", "GetDonationSummary")

AUTHORIZATIONS_AUTHORIZE_ORDER: Method[
    authorizations_service_pb2.AuthorizeOrderRequest,
    authorizations_service_pb2.AuthorizeOrderResponse,
] = method(authorizations_service_pb2.DESCRIPTOR, "AuthorizationsService", "AuthorizeOrder")
AUTHORIZATIONS_INCREMENT_AUTHORIZATION: Method[
    authorizations_service_pb2.IncrementAuthorizationRequest,
    authorizations_service_pb2.IncrementAuthorizationResponse,
] = method(authorizations_service_pb2.DESCRIPTOR, "AuthorizationsService", "IncrementAuthorization")
AUTHORIZATIONS_CAPTURE_ORDER: Method[
    authorizations_service_pb2.CaptureOrderRequest, authorizations_service_pb2.CaptureOrderResponse
] = method(authorizations_service_pb2.DESCRIPTOR, "AuthorizationsService", "CaptureOrder")
AUTHORIZATIONS_VOID_ORDER: Method[
    authorizations_service_pb2.VoidOrderRequest, authorizations_service_pb2.VoidOrderResponse
] = method(authorizations_service_pb2.DESCRIPTOR, "AuthorizationsService", "VoidOrder")
AUTHORIZATIONS_GET_AUTHORIZATION: Method[
    authorizations_service_pb2.GetAuthorizationRequest,
    authorizations_service_pb2.GetAuthorizationResponse,
] = method(authorizations_service_pb2.DESCRIPTOR, "AuthorizationsService", "GetAuthorization")

WEBHOOKS_CREATE_ENDPOINT: Method[
    webhooks_service_pb2.CreateEndpointRequest, webhooks_service_pb2.CreateEndpointResponse
] = method(webhooks_service_pb2.DESCRIPTOR, "WebhooksService", "CreateEndpoint")
WEBHOOKS_LIST_ENDPOINTS: Method[
    webhooks_service_pb2.ListEndpointsRequest, webhooks_service_pb2.ListEndpointsResponse
] = method(webhooks_service_pb2.DESCRIPTOR, "WebhooksService", "ListEndpoints")
WEBHOOKS_SET_ENDPOINT_STATE: Method[
    webhooks_service_pb2.SetEndpointStateRequest, webhooks_service_pb2.SetEndpointStateResponse
] = method(webhooks_service_pb2.DESCRIPTOR, "WebhooksService", "SetEndpointState")
WEBHOOKS_ROTATE_SECRET: Method[
    webhooks_service_pb2.RotateSecretRequest, webhooks_service_pb2.RotateSecretResponse
] = method(webhooks_service_pb2.DESCRIPTOR, "WebhooksService", "RotateSecret")
WEBHOOKS_SEND_TEST_EVENT: Method[
    webhooks_service_pb2.SendTestEventRequest, webhooks_service_pb2.SendTestEventResponse
] = method(webhooks_service_pb2.DESCRIPTOR, "WebhooksService", "SendTestEvent")
WEBHOOKS_LIST_DELIVERIES: Method[
    webhooks_service_pb2.ListDeliveriesRequest, webhooks_service_pb2.ListDeliveriesResponse
] = method(webhooks_service_pb2.DESCRIPTOR, "WebhooksService", "ListDeliveries")
WEBHOOKS_REDELIVER: Method[
    webhooks_service_pb2.RedeliverRequest, webhooks_service_pb2.RedeliverResponse
] = method(webhooks_service_pb2.DESCRIPTOR, "WebhooksService", "Redeliver")

SETTLEMENTS_GET_SETTLEMENT: Method[
    settlements_service_pb2.GetSettlementRequest, settlements_service_pb2.GetSettlementResponse
] = method(settlements_service_pb2.DESCRIPTOR, "SettlementsService", "GetSettlement")
SETTLEMENTS_LIST_SETTLEMENTS: Method[
    settlements_service_pb2.ListSettlementsRequest, settlements_service_pb2.ListSettlementsResponse
] = method(settlements_service_pb2.DESCRIPTOR, "SettlementsService", "ListSettlements")
SETTLEMENTS_DOWNLOAD_BILL: Method[
    settlements_service_pb2.DownloadBillRequest, settlements_service_pb2.DownloadBillResponse
] = method(settlements_service_pb2.DESCRIPTOR, "SettlementsService", "DownloadBill")
SETTLEMENTS_RECONCILE: Method[
    settlements_service_pb2.ReconcileRequest, settlements_service_pb2.ReconcileResponse
] = method(settlements_service_pb2.DESCRIPTOR, "SettlementsService", "Reconcile")

SHIFTS_OPEN_SHIFT: Method[
    shifts_service_pb2.OpenShiftRequest, shifts_service_pb2.OpenShiftResponse
] = method(shifts_service_pb2.DESCRIPTOR, "ShiftsService", "OpenShift")
SHIFTS_CLOSE_SHIFT: Method[
    shifts_service_pb2.CloseShiftRequest, shifts_service_pb2.CloseShiftResponse
] = method(shifts_service_pb2.DESCRIPTOR, "ShiftsService", "CloseShift")
SHIFTS_GET_SHIFT: Method[
    shifts_service_pb2.GetShiftRequest, shifts_service_pb2.GetShiftResponse
] = method(shifts_service_pb2.DESCRIPTOR, "ShiftsService", "GetShift")
SHIFTS_LIST_SHIFTS: Method[
    shifts_service_pb2.ListShiftsRequest, shifts_service_pb2.ListShiftsResponse
] = method(shifts_service_pb2.DESCRIPTOR, "ShiftsService", "ListShifts")
SHIFTS_GET_TERMINAL_TOTALS: Method[
    shifts_service_pb2.GetTerminalTotalsRequest, shifts_service_pb2.GetTerminalTotalsResponse
] = method(shifts_service_pb2.DESCRIPTOR, "ShiftsService", "GetTerminalTotals")
SHIFTS_LIST_DAY_TOTALS: Method[
    shifts_service_pb2.ListDayTotalsRequest, shifts_service_pb2.ListDayTotalsResponse
] = method(shifts_service_pb2.DESCRIPTOR, "ShiftsService", "ListDayTotals")
SHIFTS_LIST_DAY_ORDERS: Method[
    shifts_service_pb2.ListDayOrdersRequest, shifts_service_pb2.ListDayOrdersResponse
] = method(shifts_service_pb2.DESCRIPTOR, "ShiftsService", "ListDayOrders")

STORES_CREATE_STORE: Method[
    stores_service_pb2.CreateStoreRequest, stores_service_pb2.CreateStoreResponse
] = method(stores_service_pb2.DESCRIPTOR, "StoresService", "CreateStore")
STORES_UPDATE_STORE: Method[
    stores_service_pb2.UpdateStoreRequest, stores_service_pb2.UpdateStoreResponse
] = method(stores_service_pb2.DESCRIPTOR, "StoresService", "UpdateStore")
STORES_CLOSE_STORE: Method[
    stores_service_pb2.CloseStoreRequest, stores_service_pb2.CloseStoreResponse
] = method(stores_service_pb2.DESCRIPTOR, "StoresService", "CloseStore")
STORES_REOPEN_STORE: Method[
    stores_service_pb2.ReopenStoreRequest, stores_service_pb2.ReopenStoreResponse
] = method(stores_service_pb2.DESCRIPTOR, "StoresService", "ReopenStore")
STORES_GET_STORE: Method[
    stores_service_pb2.GetStoreRequest, stores_service_pb2.GetStoreResponse
] = method(stores_service_pb2.DESCRIPTOR, "StoresService", "GetStore")
STORES_LIST_STORES: Method[
    stores_service_pb2.ListStoresRequest, stores_service_pb2.ListStoresResponse
] = method(stores_service_pb2.DESCRIPTOR, "StoresService", "ListStores")
STORES_MOVE_TERMINAL: Method[
    stores_service_pb2.MoveTerminalRequest, stores_service_pb2.MoveTerminalResponse
] = method(stores_service_pb2.DESCRIPTOR, "StoresService", "MoveTerminal")

CASHIERS_CREATE_CASHIER: Method[
    cashiers_service_pb2.CreateCashierRequest, cashiers_service_pb2.CreateCashierResponse
] = method(cashiers_service_pb2.DESCRIPTOR, "CashiersService", "CreateCashier")
CASHIERS_UPDATE_CASHIER: Method[
    cashiers_service_pb2.UpdateCashierRequest, cashiers_service_pb2.UpdateCashierResponse
] = method(cashiers_service_pb2.DESCRIPTOR, "CashiersService", "UpdateCashier")
CASHIERS_GET_CASHIER: Method[
    cashiers_service_pb2.GetCashierRequest, cashiers_service_pb2.GetCashierResponse
] = method(cashiers_service_pb2.DESCRIPTOR, "CashiersService", "GetCashier")
CASHIERS_LIST_CASHIERS: Method[
    cashiers_service_pb2.ListCashiersRequest, cashiers_service_pb2.ListCashiersResponse
] = method(cashiers_service_pb2.DESCRIPTOR, "CashiersService", "ListCashiers")

PAYOUTS_REGISTER_PAYOUT_ACCOUNT: Method[
    payouts_service_pb2.RegisterPayoutAccountRequest,
    payouts_service_pb2.RegisterPayoutAccountResponse,
] = method(payouts_service_pb2.DESCRIPTOR, "PayoutsService", "RegisterPayoutAccount")
PAYOUTS_CONFIRM_PAYOUT_ACCOUNT: Method[
    payouts_service_pb2.ConfirmPayoutAccountRequest,
    payouts_service_pb2.ConfirmPayoutAccountResponse,
] = method(payouts_service_pb2.DESCRIPTOR, "PayoutsService", "ConfirmPayoutAccount")
PAYOUTS_GET_PAYOUT_ACCOUNT: Method[
    payouts_service_pb2.GetPayoutAccountRequest, payouts_service_pb2.GetPayoutAccountResponse
] = method(payouts_service_pb2.DESCRIPTOR, "PayoutsService", "GetPayoutAccount")
PAYOUTS_GET_PAYOUT: Method[
    payouts_service_pb2.GetPayoutRequest, payouts_service_pb2.GetPayoutResponse
] = method(payouts_service_pb2.DESCRIPTOR, "PayoutsService", "GetPayout")
PAYOUTS_LIST_PAYOUTS: Method[
    payouts_service_pb2.ListPayoutsRequest, payouts_service_pb2.ListPayoutsResponse
] = method(payouts_service_pb2.DESCRIPTOR, "PayoutsService", "ListPayouts")

PLANS_SET_PLAN: Method[plans_service_pb2.SetPlanRequest, plans_service_pb2.SetPlanResponse] = (
    method(plans_service_pb2.DESCRIPTOR, "PlansService", "SetPlan")
)
PLANS_LIST_PLANS: Method[
    plans_service_pb2.ListPlansRequest, plans_service_pb2.ListPlansResponse
] = method(plans_service_pb2.DESCRIPTOR, "PlansService", "ListPlans")

CONVERSIONS_CREATE_QUOTE: Method[
    conversions_service_pb2.CreateQuoteRequest, conversions_service_pb2.CreateQuoteResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "CreateQuote")
CONVERSIONS_GET_QUOTE: Method[
    conversions_service_pb2.GetQuoteRequest, conversions_service_pb2.GetQuoteResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "GetQuote")
CONVERSIONS_CANCEL_QUOTE: Method[
    conversions_service_pb2.CancelQuoteRequest, conversions_service_pb2.CancelQuoteResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "CancelQuote")
CONVERSIONS_EXECUTE_QUOTE: Method[
    conversions_service_pb2.ExecuteQuoteRequest, conversions_service_pb2.ExecuteQuoteResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "ExecuteQuote")
CONVERSIONS_CONVERT: Method[
    conversions_service_pb2.ConvertRequest, conversions_service_pb2.ConvertResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "Convert")
CONVERSIONS_QUOTE_ABROAD: Method[
    conversions_service_pb2.QuoteAbroadRequest, conversions_service_pb2.QuoteAbroadResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "QuoteAbroad")
CONVERSIONS_PAY_ABROAD: Method[
    conversions_service_pb2.PayAbroadRequest, conversions_service_pb2.PayAbroadResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "PayAbroad")
CONVERSIONS_SET_AUTO_CONVERSION: Method[
    conversions_service_pb2.SetAutoConversionRequest,
    conversions_service_pb2.SetAutoConversionResponse,
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "SetAutoConversion")
CONVERSIONS_LIST_AUTO_CONVERSIONS: Method[
    conversions_service_pb2.ListAutoConversionsRequest,
    conversions_service_pb2.ListAutoConversionsResponse,
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "ListAutoConversions")
CONVERSIONS_GET_FX_QUOTA: Method[
    conversions_service_pb2.GetFxQuotaRequest, conversions_service_pb2.GetFxQuotaResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "GetFxQuota")
CONVERSIONS_GET_CONVERSION: Method[
    conversions_service_pb2.GetConversionRequest, conversions_service_pb2.GetConversionResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "GetConversion")
CONVERSIONS_REVERSE_CONVERSION: Method[
    conversions_service_pb2.ReverseConversionRequest,
    conversions_service_pb2.ReverseConversionResponse,
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "ReverseConversion")
CONVERSIONS_LIST_CONVERSIONS: Method[
    conversions_service_pb2.ListConversionsRequest, conversions_service_pb2.ListConversionsResponse
] = method(conversions_service_pb2.DESCRIPTOR, "ConversionsService", "ListConversions")

LIMIT_ORDERS_CREATE_RATE_ALERT: Method[
    limit_orders_service_pb2.CreateRateAlertRequest,
    limit_orders_service_pb2.CreateRateAlertResponse,
] = method(limit_orders_service_pb2.DESCRIPTOR, "LimitOrdersService", "CreateRateAlert")
LIMIT_ORDERS_LIST_RATE_ALERTS: Method[
    limit_orders_service_pb2.ListRateAlertsRequest, limit_orders_service_pb2.ListRateAlertsResponse
] = method(limit_orders_service_pb2.DESCRIPTOR, "LimitOrdersService", "ListRateAlerts")
LIMIT_ORDERS_DELETE_RATE_ALERT: Method[
    limit_orders_service_pb2.DeleteRateAlertRequest,
    limit_orders_service_pb2.DeleteRateAlertResponse,
] = method(limit_orders_service_pb2.DESCRIPTOR, "LimitOrdersService", "DeleteRateAlert")
LIMIT_ORDERS_CREATE_LIMIT_ORDER: Method[
    limit_orders_service_pb2.CreateLimitOrderRequest,
    limit_orders_service_pb2.CreateLimitOrderResponse,
] = method(limit_orders_service_pb2.DESCRIPTOR, "LimitOrdersService", "CreateLimitOrder")
LIMIT_ORDERS_GET_LIMIT_ORDER: Method[
    limit_orders_service_pb2.GetLimitOrderRequest, limit_orders_service_pb2.GetLimitOrderResponse
] = method(limit_orders_service_pb2.DESCRIPTOR, "LimitOrdersService", "GetLimitOrder")
LIMIT_ORDERS_LIST_LIMIT_ORDERS: Method[
    limit_orders_service_pb2.ListLimitOrdersRequest,
    limit_orders_service_pb2.ListLimitOrdersResponse,
] = method(limit_orders_service_pb2.DESCRIPTOR, "LimitOrdersService", "ListLimitOrders")
LIMIT_ORDERS_CANCEL_LIMIT_ORDER: Method[
    limit_orders_service_pb2.CancelLimitOrderRequest,
    limit_orders_service_pb2.CancelLimitOrderResponse,
] = method(limit_orders_service_pb2.DESCRIPTOR, "LimitOrdersService", "CancelLimitOrder")

POSITIONS_GET_POSITION: Method[
    positions_service_pb2.GetPositionRequest, positions_service_pb2.GetPositionResponse
] = method(positions_service_pb2.DESCRIPTOR, "PositionsService", "GetPosition")
POSITIONS_LIST_POSITIONS: Method[
    positions_service_pb2.ListPositionsRequest, positions_service_pb2.ListPositionsResponse
] = method(positions_service_pb2.DESCRIPTOR, "PositionsService", "ListPositions")
POSITIONS_REVALUE: Method[
    positions_service_pb2.RevalueRequest, positions_service_pb2.RevalueResponse
] = method(positions_service_pb2.DESCRIPTOR, "PositionsService", "Revalue")
POSITIONS_LIST_REVALUATIONS: Method[
    positions_service_pb2.ListRevaluationsRequest, positions_service_pb2.ListRevaluationsResponse
] = method(positions_service_pb2.DESCRIPTOR, "PositionsService", "ListRevaluations")

LIMITS_EXPLAIN_LIMITS: Method[
    limits_service_pb2.ExplainLimitsRequest, limits_service_pb2.ExplainLimitsResponse
] = method(limits_service_pb2.DESCRIPTOR, "LimitsService", "ExplainLimits")
LIMITS_LIST_LIMITS: Method[
    limits_service_pb2.ListLimitsRequest, limits_service_pb2.ListLimitsResponse
] = method(limits_service_pb2.DESCRIPTOR, "LimitsService", "ListLimits")
LIMITS_SET_OWN_LIMIT: Method[
    limits_service_pb2.SetOwnLimitRequest, limits_service_pb2.SetOwnLimitResponse
] = method(limits_service_pb2.DESCRIPTOR, "LimitsService", "SetOwnLimit")
LIMITS_SET_ACCOUNT_TYPE: Method[
    limits_service_pb2.SetAccountTypeRequest, limits_service_pb2.SetAccountTypeResponse
] = method(limits_service_pb2.DESCRIPTOR, "LimitsService", "SetAccountType")
LIMITS_LIST_LIMIT_TOTALS: Method[
    limits_service_pb2.ListLimitTotalsRequest, limits_service_pb2.ListLimitTotalsResponse
] = method(limits_service_pb2.DESCRIPTOR, "LimitsService", "ListLimitTotals")
LIMITS_LIST_LARGE_VALUE_CANDIDATES: Method[
    limits_service_pb2.ListLargeValueCandidatesRequest,
    limits_service_pb2.ListLargeValueCandidatesResponse,
] = method(limits_service_pb2.DESCRIPTOR, "LimitsService", "ListLargeValueCandidates")

RATES_LIST_CURRENCIES: Method[
    rates_service_pb2.ListCurrenciesRequest, rates_service_pb2.ListCurrenciesResponse
] = method(rates_service_pb2.DESCRIPTOR, "RatesService", "ListCurrencies")
RATES_IMPORT_RATES: Method[
    rates_service_pb2.ImportRatesRequest, rates_service_pb2.ImportRatesResponse
] = method(rates_service_pb2.DESCRIPTOR, "RatesService", "ImportRates")
RATES_SET_RATE: Method[rates_service_pb2.SetRateRequest, rates_service_pb2.SetRateResponse] = (
    method(rates_service_pb2.DESCRIPTOR, "RatesService", "SetRate")
)
RATES_CREATE_PROMOTION: Method[
    rates_service_pb2.CreatePromotionRequest, rates_service_pb2.CreatePromotionResponse
] = method(rates_service_pb2.DESCRIPTOR, "RatesService", "CreatePromotion")
RATES_END_PROMOTION: Method[
    rates_service_pb2.EndPromotionRequest, rates_service_pb2.EndPromotionResponse
] = method(rates_service_pb2.DESCRIPTOR, "RatesService", "EndPromotion")
RATES_LIST_PROMOTIONS: Method[
    rates_service_pb2.ListPromotionsRequest, rates_service_pb2.ListPromotionsResponse
] = method(rates_service_pb2.DESCRIPTOR, "RatesService", "ListPromotions")
RATES_GET_RATE: Method[rates_service_pb2.GetRateRequest, rates_service_pb2.GetRateResponse] = (
    method(rates_service_pb2.DESCRIPTOR, "RatesService", "GetRate")
)
RATES_STREAM_RATES: Method[
    rates_service_pb2.StreamRatesRequest, rates_service_pb2.StreamRatesResponse
] = method(rates_service_pb2.DESCRIPTOR, "RatesService", "StreamRates")
RATES_LIST_RATES: Method[
    rates_service_pb2.ListRatesRequest, rates_service_pb2.ListRatesResponse
] = method(rates_service_pb2.DESCRIPTOR, "RatesService", "ListRates")

RULES_CREATE_DRAFT: Method[
    rules_service_pb2.CreateDraftRequest, rules_service_pb2.CreateDraftResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "CreateDraft")
RULES_UPDATE_DRAFT: Method[
    rules_service_pb2.UpdateDraftRequest, rules_service_pb2.UpdateDraftResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "UpdateDraft")
RULES_PROMOTE_RULE_SET: Method[
    rules_service_pb2.PromoteRuleSetRequest, rules_service_pb2.PromoteRuleSetResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "PromoteRuleSet")
RULES_SNOOZE_RULE: Method[
    rules_service_pb2.SnoozeRuleRequest, rules_service_pb2.SnoozeRuleResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "SnoozeRule")
RULES_SET_ROLLOUT: Method[
    rules_service_pb2.SetRolloutRequest, rules_service_pb2.SetRolloutResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "SetRollout")
RULES_LIST_RULE_SETS: Method[
    rules_service_pb2.ListRuleSetsRequest, rules_service_pb2.ListRuleSetsResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "ListRuleSets")
RULES_GET_RULE_SET: Method[
    rules_service_pb2.GetRuleSetRequest, rules_service_pb2.GetRuleSetResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "GetRuleSet")
RULES_LINT_RULES: Method[
    rules_service_pb2.LintRulesRequest, rules_service_pb2.LintRulesResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "LintRules")
RULES_TEST_RULES: Method[
    rules_service_pb2.TestRulesRequest, rules_service_pb2.TestRulesResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "TestRules")
RULES_DIFF_RULE_SETS: Method[
    rules_service_pb2.DiffRuleSetsRequest, rules_service_pb2.DiffRuleSetsResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "DiffRuleSets")
RULES_BACKTEST_RULES: Method[
    rules_service_pb2.BacktestRulesRequest, rules_service_pb2.BacktestRulesResponse
] = method(rules_service_pb2.DESCRIPTOR, "RulesService", "BacktestRules")

LISTS_BEGIN_LIST_IMPORT: Method[
    lists_service_pb2.BeginListImportRequest, lists_service_pb2.BeginListImportResponse
] = method(lists_service_pb2.DESCRIPTOR, "ListsService", "BeginListImport")
LISTS_UPLOAD_LIST_ROWS: Method[
    lists_service_pb2.UploadListRowsRequest, lists_service_pb2.UploadListRowsResponse
] = method(lists_service_pb2.DESCRIPTOR, "ListsService", "UploadListRows")
LISTS_COMMIT_LIST_IMPORT: Method[
    lists_service_pb2.CommitListImportRequest, lists_service_pb2.CommitListImportResponse
] = method(lists_service_pb2.DESCRIPTOR, "ListsService", "CommitListImport")
LISTS_LIST_RISK_LISTS: Method[
    lists_service_pb2.ListRiskListsRequest, lists_service_pb2.ListRiskListsResponse
] = method(lists_service_pb2.DESCRIPTOR, "ListsService", "ListRiskLists")
LISTS_CHECK_LISTED: Method[
    lists_service_pb2.CheckListedRequest, lists_service_pb2.CheckListedResponse
] = method(lists_service_pb2.DESCRIPTOR, "ListsService", "CheckListed")
LISTS_SCREEN_NAME: Method[
    lists_service_pb2.ScreenNameRequest, lists_service_pb2.ScreenNameResponse
] = method(lists_service_pb2.DESCRIPTOR, "ListsService", "ScreenName")

RISK_GET_DECISION: Method[
    risk_service_pb2.GetDecisionRequest, risk_service_pb2.GetDecisionResponse
] = method(risk_service_pb2.DESCRIPTOR, "RiskService", "GetDecision")
RISK_LIST_DECISIONS: Method[
    risk_service_pb2.ListDecisionsRequest, risk_service_pb2.ListDecisionsResponse
] = method(risk_service_pb2.DESCRIPTOR, "RiskService", "ListDecisions")
RISK_REPLAY_DECISION: Method[
    risk_service_pb2.ReplayDecisionRequest, risk_service_pb2.ReplayDecisionResponse
] = method(risk_service_pb2.DESCRIPTOR, "RiskService", "ReplayDecision")
RISK_SIMULATE_TRANSACTION: Method[
    risk_service_pb2.SimulateTransactionRequest, risk_service_pb2.SimulateTransactionResponse
] = method(risk_service_pb2.DESCRIPTOR, "RiskService", "SimulateTransaction")
RISK_PLACE_FREEZE: Method[
    risk_service_pb2.PlaceFreezeRequest, risk_service_pb2.PlaceFreezeResponse
] = method(risk_service_pb2.DESCRIPTOR, "RiskService", "PlaceFreeze")
RISK_LIFT_FREEZE: Method[
    risk_service_pb2.LiftFreezeRequest, risk_service_pb2.LiftFreezeResponse
] = method(risk_service_pb2.DESCRIPTOR, "RiskService", "LiftFreeze")
RISK_LIST_FREEZES: Method[
    risk_service_pb2.ListFreezesRequest, risk_service_pb2.ListFreezesResponse
] = method(risk_service_pb2.DESCRIPTOR, "RiskService", "ListFreezes")

CASES_LIST_CASES: Method[
    cases_service_pb2.ListCasesRequest, cases_service_pb2.ListCasesResponse
] = method(cases_service_pb2.DESCRIPTOR, "CasesService", "ListCases")
CASES_GET_CASE: Method[cases_service_pb2.GetCaseRequest, cases_service_pb2.GetCaseResponse] = (
    method(cases_service_pb2.DESCRIPTOR, "CasesService", "GetCase")
)
CASES_OPEN_CASE: Method[cases_service_pb2.OpenCaseRequest, cases_service_pb2.OpenCaseResponse] = (
    method(cases_service_pb2.DESCRIPTOR, "CasesService", "OpenCase")
)
CASES_APPEAL_DECISION: Method[
    cases_service_pb2.AppealDecisionRequest, cases_service_pb2.AppealDecisionResponse
] = method(cases_service_pb2.DESCRIPTOR, "CasesService", "AppealDecision")
CASES_ASSIGN_CASE: Method[
    cases_service_pb2.AssignCaseRequest, cases_service_pb2.AssignCaseResponse
] = method(cases_service_pb2.DESCRIPTOR, "CasesService", "AssignCase")
CASES_ADD_CASE_NOTE: Method[
    cases_service_pb2.AddCaseNoteRequest, cases_service_pb2.AddCaseNoteResponse
] = method(cases_service_pb2.DESCRIPTOR, "CasesService", "AddCaseNote")
CASES_CLOSE_CASE: Method[
    cases_service_pb2.CloseCaseRequest, cases_service_pb2.CloseCaseResponse
] = method(cases_service_pb2.DESCRIPTOR, "CasesService", "CloseCase")

TRANSFERS_CREATE_TRANSFER: Method[
    transfers_service_pb2.CreateTransferRequest, transfers_service_pb2.CreateTransferResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "CreateTransfer")
TRANSFERS_LOOKUP_PAYEE: Method[
    transfers_service_pb2.LookupPayeeRequest, transfers_service_pb2.LookupPayeeResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "LookupPayee")
TRANSFERS_GET_TRANSFER: Method[
    transfers_service_pb2.GetTransferRequest, transfers_service_pb2.GetTransferResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "GetTransfer")
TRANSFERS_LIST_TRANSFERS: Method[
    transfers_service_pb2.ListTransfersRequest, transfers_service_pb2.ListTransfersResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "ListTransfers")
TRANSFERS_HOLD_TRANSFER: Method[
    transfers_service_pb2.HoldTransferRequest, transfers_service_pb2.HoldTransferResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "HoldTransfer")
TRANSFERS_RELEASE_TRANSFER: Method[
    transfers_service_pb2.ReleaseTransferRequest, transfers_service_pb2.ReleaseTransferResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "ReleaseTransfer")
TRANSFERS_CANCEL_TRANSFER: Method[
    transfers_service_pb2.CancelTransferRequest, transfers_service_pb2.CancelTransferResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "CancelTransfer")
TRANSFERS_TOP_UP: Method[
    transfers_service_pb2.TopUpRequest, transfers_service_pb2.TopUpResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "TopUp")
TRANSFERS_WITHDRAW: Method[
    transfers_service_pb2.WithdrawRequest, transfers_service_pb2.WithdrawResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "Withdraw")
TRANSFERS_BATCH_TRANSFERS: Method[
    transfers_service_pb2.BatchTransfersRequest, transfers_service_pb2.BatchTransfersResponse
] = method(transfers_service_pb2.DESCRIPTOR, "TransfersService", "BatchTransfers")

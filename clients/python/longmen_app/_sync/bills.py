"""Generated from longmen_app/_async/bills.py by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.payments.v1 import bill_pb2
from longmen_client.errors import NeedsAuth
from longmen_client.ids import RequestId, new_request_id
from longmen_client.money import Money

if TYPE_CHECKING:
    from longmen.payments.v1 import bills_service_pb2
    from longmen_app._sync.wallet import Wallet

_DOCUMENTS = {
    "": bill_pb2.RECEIPT_FORMAT_UNSPECIFIED,
    "json": bill_pb2.RECEIPT_FORMAT_JSON,
    "pdf": bill_pb2.RECEIPT_FORMAT_PDF,
}


class Bill:
    """A bill that waits for the customer's yes.

        for bill in Bill.find(wallet, biller_id, account_number):
            print(bill.amount, bill.due.period)      # the customer says yes to this
            bill.pay()

    Paying twice pays once.
    """

    def __init__(self, wallet: Wallet, due: bill_pb2.Due) -> None:
        self.due = due
        """Everything about it."""
        self.amount = Money.from_proto(due.amount)
        self.request_id: RequestId = new_request_id()
        self._wallet = wallet

    @classmethod
    def find(cls, wallet: Wallet, biller_id: str, account_number: str) -> list[Bill]:
        """What can be paid of an account number, the earliest due date first.

        Raises:
            LongmenError: such as BillAccountMalformed.
        """
        found = wallet.bank.bills.find_dues(biller_id=biller_id, account_number=account_number)
        return [cls(wallet, due) for due in found.dues]

    @classmethod
    def reminders(cls, wallet: Wallet) -> list[Bill]:
        """What can be paid of every account that the customer has linked.

        Raises:
            LongmenError: such as WalletNotFound.
        """
        found = wallet.bank.bills.list_bill_reminders(customer_id=wallet.customer_id)
        return [cls(wallet, due) for one in found.reminders for due in one.dues]

    def pay(self) -> bill_pb2.Due:
        """Pay; where the bank asks for it, approve first with what the wallet's approver gives.

        Raises:
            NeedsAuth: it has to be approved, and the wallet has no approver.
            LongmenError: look at `outcome_unknown`; when it is true, pay this bill again.
            LookupError: the wallet has no account in the bill's currency.
        """
        account_id = self._wallet.account_id(self.amount.currency_code)
        try:
            return self._send(account_id)
        except NeedsAuth as needed:
            self._wallet.approve(needed)
            return self._send(account_id)

    def receipt(self, document: str = "") -> bills_service_pb2.GetBillReceiptResponse:
        """The receipt once it is paid, with a document when a format is given: json or pdf.

        Raises:
            LongmenError: such as DueNotFound.
            ValueError: no such format.
        """
        if document not in _DOCUMENTS:
            raise ValueError(f"receipts come as json or pdf, not {document}")
        return self._wallet.bank.bills.get_bill_receipt(
            due_id=self.due.due_id, format=_DOCUMENTS[document]
        )

    def _send(self, account_id: str) -> bill_pb2.Due:
        """Send the payment, the same each time."""
        reply = self._wallet.bank.bills.pay_due(
            due_id=self.due.due_id,
            from_account_id=account_id,
            amount=self.amount,
            request_id=self.request_id,
        )
        self._wallet.remember(reply.committed_at)
        return reply.message.due

"""Rows and names of lists: what is an entry, what is the same name, what is told of the rest."""

from __future__ import annotations

import pytest

from longmen_server.risk.model import ListedKind
from longmen_server.risklists.folding import fold
from longmen_server.risklists.index import LATIN_LIKENESS_MAX, ListIndex
from longmen_server.risklists.rows import Entry, normalise, read_entries, read_rows, write_entries

ACCOUNT = "acct_" + "0" * 31 + "1"


def entries(kind: ListedKind, *values: str) -> list[Entry]:
    return [Entry(normalise(kind, value), value, "") for value in values]


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        (ListedKind.ACCOUNT, f" {ACCOUNT} ", ACCOUNT),
        (ListedKind.COUNTRY, "kp", "KP"),
        (ListedKind.PHONE, "+86 139 1234 5678", "+8613912345678"),
        (ListedKind.ADDRESS, "198.51.100.7", "198.51.100.7/32"),
        (ListedKind.ADDRESS, "198.51.100.7/24", "198.51.100.0/24"),
        (ListedKind.ADDRESS, "2001:DB8::1", "2001:db8::1/128"),
        (ListedKind.ADDRESS, "::ffff:198.51.100.7", "198.51.100.7/32"),
        (ListedKind.NAME, "Müller, Hans", "hans muller"),
    ],
)
def test_values_are_compared_in_one_form(kind: ListedKind, value: str, key: str) -> None:
    assert normalise(kind, value) == key


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (ListedKind.ACCOUNT, "acct_1", "NOT_AN_ID"),
        (ListedKind.ACCOUNT, ACCOUNT.replace("acct", "cust"), "NOT_AN_ID"),
        (ListedKind.ACCOUNT, ACCOUNT.upper(), "NOT_AN_ID"),
        (ListedKind.CUSTOMER, "cust_" + "g" * 32, "NOT_AN_ID"),
        (ListedKind.COUNTRY, "KOR", "NOT_A_COUNTRY"),
        (ListedKind.COUNTRY, "ＫＰ", "NOT_A_COUNTRY"),
        (ListedKind.PHONE, "13912345678", "NOT_A_PHONE_NUMBER"),
        (ListedKind.PHONE, "+1", "NOT_A_PHONE_NUMBER"),
        (ListedKind.ADDRESS, "198.51.100", "NOT_AN_ADDRESS"),
        (ListedKind.ADDRESS, "198.51.100.7/33", "NOT_AN_ADDRESS"),
        (ListedKind.NAME, "--", "NOT_A_NAME"),
        (ListedKind.NAME, "2020", "NOT_A_NAME"),
        (ListedKind.NAME, "Ali\u200b Baba", "HIDDEN_CHARACTER"),
        (ListedKind.NAME, "x" * 201, "TOO_LONG"),
        (ListedKind.NAME, "", "EMPTY"),
    ],
)
def test_what_is_no_value_says_why(kind: ListedKind, value: str, code: str) -> None:
    with pytest.raises(ValueError, match=f"^{code}$"):
        normalise(kind, value)


def test_rows_are_read_with_their_lines_and_nothing_is_lost() -> None:
    content = (
        b"\xef\xbb\xbfValue,Label\r\n"
        b'KP,"sanctions, all"\r\n'
        b"\r\n"
        b"Korea\n"
        b"kp\n"
        b"IR,a,b\n"
        b"\xff\xfe\n"
        b'SY,"open\n'
        b"CU,ok\n"
        b"R\xe2\x80\xaeU,\n"
        b",label only\n"
    )
    rows = read_rows(ListedKind.COUNTRY, content, first_line=1)
    assert rows.entries == [Entry("KP", "KP", "sanctions, all"), Entry("CU", "CU", "ok")]
    assert [(bad.line, bad.code) for bad in rows.bad] == [
        (4, "NOT_A_COUNTRY"),
        (5, "DUPLICATE"),
        (6, "TOO_MANY_COLUMNS"),
        (7, "NOT_UTF8"),
        (8, "QUOTES"),
        (10, "HIDDEN_CHARACTER"),
        (11, "EMPTY"),
    ]
    assert rows.bad[5].value == "R�U,"
    assert rows.lines == 11
    later = read_rows(ListedKind.COUNTRY, b"value,label\nCU\n", first_line=50)
    assert [(bad.line, bad.code) for bad in later.bad] == [(50, "NOT_A_COUNTRY")]
    assert list(read_entries(write_entries(rows.entries))) == rows.entries


@pytest.mark.parametrize(
    "trick",
    [
        "OSAMA BIN LADEN",
        "bin Laden, Osama",
        "Ｏｓａｍａ　ｂｉｎ　Ｌａｄｅｎ",
        "Оsаmа bіn Lаdеn",
        "0sama b1n Laden",
        "Ösámà bin Lådén",
        "osama-bin-laden",
        "Οsαmα bin Laden",
    ],
    ids=["case", "order", "width", "cyrillic", "digits", "marks", "hyphens", "greek"],
)
def test_a_name_is_the_same_whatever_it_is_written_with(trick: str) -> None:
    assert fold(trick) == fold("Osama bin Laden")


def test_names_are_found_by_likeness_and_others_are_not() -> None:
    names = entries(ListedKind.NAME, "Osama bin Laden", "Muammar Gaddafi", "王小明", "李明")
    index = ListIndex([("sanctions", ListedKind.NAME, names)])

    def found(name: str) -> list[str]:
        return [one.entry for one in index.screen(name, 85)]

    assert found("Usama bin Ladin") == ["Osama bin Laden"]
    assert found("Gaddafi Muamar") == ["Muammar Gaddafi"]
    assert found("Moammar Gadhafi") == ["Muammar Gaddafi"]
    assert not index.screen("Moammar Gadhafi", 99)
    assert found("王小明") == ["王小明"]
    assert found("王大明") == []
    assert found("John Smith") == []
    assert index.screen("Osama bin Laden", 85)[0].likeness == 100
    assert index.check(ListedKind.NAME, "BIN LADEN Osama") == ("sanctions",)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Jia Baoyu", "JIA, Bao Yu"),
        ("Bao-yu Jia", "JIA, Bao Yu"),
        ("Ｂａｏｙｕ　Ｊｉａ", "Jia Bao Yu"),
        ("Wiktor But", "Viktor But"),
        ("Viktor But", "Viktor Anatoljewitsch But"),
        ("But Viktor Anatoljewitsch", "Viktor But"),
        ("王 小明", "王小明"),
        ("小明 王", "王小明"),
        ("王·⼩明", "王小明"),
        ("阿卜杜拉·艾山", "阿卜杜拉艾山"),
        ("Мухаммар Каддафи", "Мухаммар·Каддафи"),
        ("Vіktоr Вut", "Viktor But"),
    ],
    ids=str,
)
def test_a_name_is_found_however_its_parts_are_written(name: str, entry: str) -> None:
    index = ListIndex([("names", ListedKind.NAME, entries(ListedKind.NAME, entry))])
    assert [one.entry for one in index.screen(name, 85)] == [entry]


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("王小明", "WANG, Xiaoming"),
        ("王 小明", "Xiao Ming Wang"),
        ("WANG Xiaoming", "王小明"),
        ("Xiaoming Wang", "王小明"),
        ("張偉華", "Zhang Weihua"),
        ("欧阳娜娜", "Nana Ouyang"),
        ("曾国强", "ZENG Guoqiang"),
        ("吕建国", "LYU Jianguo"),
        ("吕建国", "Lu Jianguo"),
        ("阿卜杜拉·艾山", "A Bu Du La Ai Shan"),
    ],
    ids=str,
)
def test_a_chinese_name_is_found_in_latin_letters_and_the_other_way(name: str, entry: str) -> None:
    index = ListIndex([("names", ListedKind.NAME, entries(ListedKind.NAME, entry))])
    (match,) = index.screen(name, 85)
    assert (match.entry, match.likeness) == (entry, LATIN_LIKENESS_MAX)
    assert not index.screen(name, LATIN_LIKENESS_MAX + 1), "the same sound is not the same name"


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Li", "Li Wei Ming"),
        ("Viktor Schmidt", "Viktor Anatoljewitsch But"),
        ("王明", "王小明"),
        ("Wang Wei", "Zhang Wei"),
    ],
    ids=str,
)
def test_who_only_shares_a_part_of_a_name_is_not_found(name: str, entry: str) -> None:
    index = ListIndex([("names", ListedKind.NAME, entries(ListedKind.NAME, entry))])
    assert not index.screen(name, 85)


def test_what_something_is_on_costs_a_look_and_networks_hold_addresses() -> None:
    address = ListedKind.ADDRESS
    index = ListIndex(
        [
            ("deny", address, entries(address, "198.51.100.0/24", "2001:db8::/32")),
            ("watch", address, entries(address, "198.51.100.7", "0.0.0.0/0")),
            ("deny", ListedKind.ACCOUNT, entries(ListedKind.ACCOUNT, ACCOUNT)),
            ("mules", ListedKind.ACCOUNT, entries(ListedKind.ACCOUNT, ACCOUNT)),
        ]
    )
    assert index.of(ListedKind.ACCOUNT, ACCOUNT) == ("deny", "mules")
    assert index.of(ListedKind.CUSTOMER, ACCOUNT) == ()
    assert index.of(address, "198.51.100.7") == ("deny", "watch")
    assert index.of(address, "::ffff:198.51.100.9") == ("deny", "watch")
    assert index.of(address, "203.0.113.1") == ("watch",)
    assert index.of(address, "2001:db8:1::1") == ("deny",)
    assert index.of(address, "unknown") == ()
    assert ListIndex([]).of(address, "198.51.100.7") == ()

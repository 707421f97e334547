"""The database fixtures give what the suites rely on."""

from pathlib import Path

from sqlalchemy import create_engine, text

from tests.postgres import postgres_server


def test_database_is_empty_and_writable(database_url: str) -> None:
    """Each test gets a database of its own, empty and writable, of either kind."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alone (name TEXT)"))
        connection.execute(text("INSERT INTO alone VALUES ('Đặng Thị Hường')"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT name FROM alone")) == "Đặng Thị Hường"
    engine.dispose()


def test_postgresql_waits_for_the_disk(postgres_url: str) -> None:
    """The tests' PostgreSQL is as durable as a real one."""
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW fsync")) == "on"
        assert connection.scalar(text("SHOW server_encoding")) == "UTF8"
        assert connection.scalar(text("SHOW listen_addresses")) == ""
    engine.dispose()


def test_server_of_a_block_is_gone_after_it() -> None:
    """A server started for a block leaves neither a process nor its directory behind."""
    with postgres_server(fsync=False) as url:
        engine = create_engine(url)
        with engine.connect() as connection:
            directory = str(connection.scalar(text("SHOW data_directory")))
            assert connection.scalar(text("SHOW fsync")) == "off"
        engine.dispose()
    assert not Path(directory).parent.exists()
